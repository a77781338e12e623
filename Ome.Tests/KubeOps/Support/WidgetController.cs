using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.Abstractions.Reconciliation.Controller;
using KubeOps.Abstractions.Reconciliation.Finalizer;

namespace Ome.Tests.KubeOpsApi.Support;

/// <summary>Writes each call down, then answers as the test says.</summary>
public sealed class WidgetController(WidgetLog log) : IEntityController<Widget>
{
    public Task<ReconciliationResult<Widget>> ReconcileAsync(Widget entity, CancellationToken cancellationToken)
    {
        log.Add("reconcile", entity);
        return log.OnReconcile(entity, cancellationToken);
    }

    public Task<ReconciliationResult<Widget>> DeletedAsync(Widget entity, CancellationToken cancellationToken)
    {
        log.Add("deleted", entity);
        return log.OnDeleted(entity, cancellationToken);
    }
}

/// <summary>As <see cref="WidgetController"/>, for deletions that are held up.</summary>
public sealed class WidgetFinalizer(WidgetLog log) : IEntityFinalizer<Widget>
{
    public const string Identifier = "widgets.tests.ome.io/hold";

    public Task<ReconciliationResult<Widget>> FinalizeAsync(Widget entity, CancellationToken cancellationToken)
    {
        log.Add("finalize", entity);
        return log.OnFinalize(entity, cancellationToken);
    }
}

/// <summary>Widgets with label <c>watched=yes</c>.</summary>
public sealed class WatchedWidgets : IEntityLabelSelector<Widget>
{
    public ValueTask<string?> GetLabelSelectorAsync(CancellationToken cancellationToken) => new("watched=yes");
}
