using System.Collections;
using System.Diagnostics.CodeAnalysis;
using k8s;
using k8s.Models;
using KubeOps.Abstractions.Reconciliation;

namespace KubeOps.Operator.Logging;

/// <summary>Which object a log line is about, as key-value pairs.</summary>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "the public face is KubeOps'")]
public sealed record EntityLoggingScope : IReadOnlyCollection<KeyValuePair<string, object>>
{
    private readonly List<KeyValuePair<string, object>> _values;

    private EntityLoggingScope(string eventType, ReconciliationTriggerSource source, IKubernetesObject<V1ObjectMeta> entity)
    {
        var metadata = entity.Metadata;
        _values =
        [
            new("EventType", eventType),
            new("ReconciliationTriggerSource", source),
            new("Kind", entity.Kind ?? entity.GetType().Name),
            new("Namespace", metadata?.NamespaceProperty ?? string.Empty),
            new("Name", metadata?.Name ?? string.Empty),
            new("Uid", metadata?.Uid ?? string.Empty),
            new("ResourceVersion", metadata?.ResourceVersion ?? string.Empty),
        ];
    }

    public int Count => _values.Count;

    public static EntityLoggingScope CreateFor<TEntity>(WatchEventType eventType, TEntity entity)
        where TEntity : IKubernetesObject<V1ObjectMeta> => new(eventType.ToString(), ReconciliationTriggerSource.ApiServer, entity);

    public static EntityLoggingScope CreateFor<TEntity>(
        ReconciliationType eventType, ReconciliationTriggerSource reconciliationTriggerSource, TEntity entity)
        where TEntity : IKubernetesObject<V1ObjectMeta> => new(eventType.ToString(), reconciliationTriggerSource, entity);

    public IEnumerator<KeyValuePair<string, object>> GetEnumerator() => _values.GetEnumerator();

    public override string ToString() => string.Join(", ", _values.Select(pair => $"{pair.Key} = {pair.Value}"));

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
