using k8s;
using KubeOps.Abstractions.Reconciliation;

namespace KubeOps.Operator.Reconciliation;

/// <summary>From what the watch says to what is to be done.</summary>
public static class ReconciliationTypeExtensions
{
    public static ReconciliationType ToReconciliationType(this WatchEventType watchEventType) => watchEventType switch
    {
        WatchEventType.Added => ReconciliationType.Added,
        WatchEventType.Modified => ReconciliationType.Modified,
        WatchEventType.Deleted => ReconciliationType.Deleted,
        _ => throw new NotSupportedException($"A watch event of type '{watchEventType}' asks for no reconciliation."),
    };
}
