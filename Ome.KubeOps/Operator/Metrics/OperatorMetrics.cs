using System.Diagnostics;
using System.Diagnostics.Metrics;
using KubeOps.Abstractions.Reconciliation;

namespace KubeOps.Operator.Metrics;

/// <summary>The operator's instruments, on a meter named like the operator; names and tags as KubeOps has them.</summary>
public sealed class OperatorMetrics
{
    private readonly Counter<long> _enqueued;
    private readonly Counter<long> _requeued;
    private readonly Counter<long> _discarded;
    private readonly Counter<long> _reconciliations;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _watchEvents;
    private readonly Counter<long> _reconnections;
    private readonly Lock _lock = new();
    private readonly List<(string EntityType, WeakReference<object> Queue, Func<object, (int Scheduled, int Ready)> Read)> _queues = [];

    public OperatorMetrics(IMeterFactory meterFactory, string meterName)
    {
        var meter = meterFactory.Create(meterName, typeof(OperatorMetrics).Assembly.GetName().Version?.ToString());
        meter.CreateObservableGauge("kubeops.operator.queue.depth", Depths, "{items}", "Objects that wait, by state.");
        _enqueued = meter.CreateCounter<long>("kubeops.operator.queue.enqueued", "{items}", "Objects put into the queue.");
        _requeued = meter.CreateCounter<long>("kubeops.operator.queue.requeued", "{items}", "Objects queued again, by reason.");
        _discarded = meter.CreateCounter<long>("kubeops.operator.queue.discarded", "{items}", "Runs dropped because an earlier one went on.");
        _reconciliations = meter.CreateCounter<long>("kubeops.operator.reconciliation", "{reconciliations}", "Runs done.");
        _duration = meter.CreateHistogram<double>("kubeops.operator.reconciliation.duration", "s", "Time of one run, with the fetch of the object.");
        _watchEvents = meter.CreateCounter<long>("kubeops.operator.watcher.events", "{events}", "Events received.");
        _reconnections = meter.CreateCounter<long>("kubeops.operator.watcher.reconnections", "{reconnections}", "Reconnects after an error.");
    }

    public void RecordEnqueue(string entityType, string triggerSource) =>
        _enqueued.Add(1, EntityType(entityType), new("kubeops.trigger.source", triggerSource));

    public void RecordRequeue(string entityType, string reason) => _requeued.Add(1, EntityType(entityType), new("kubeops.requeue.reason", reason));

    public void RecordDiscard(string entityType) => _discarded.Add(1, EntityType(entityType));

    public void RecordReconciliation(
        string entityType, string reconciliationType, string status, double durationSeconds, string? errorType = null)
    {
        var tags = new TagList
        {
            EntityType(entityType),
            { "kubeops.reconciliation.type", reconciliationType },
            { "kubeops.reconciliation.status", status },
        };
        if (errorType is not null) tags.Add("error.type", errorType);
        _reconciliations.Add(1, tags);
        _duration.Record(durationSeconds, tags);
    }

    public void RecordWatchEvent(string entityType, string eventType) =>
        _watchEvents.Add(1, EntityType(entityType), new("kubeops.watcher.event.type", eventType));

    public void RecordWatcherReconnection(string entityType) => _reconnections.Add(1, EntityType(entityType));

    // A weak reference: a queue that goes with its host must not be kept by the meter.
    internal void Observe<TQueue>(string entityType, TQueue queue, Func<TQueue, (int Scheduled, int Ready)> read)
        where TQueue : class
    {
        lock (_lock) _queues.Add((entityType, new WeakReference<object>(queue), target => read((TQueue)target)));
    }

    private static KeyValuePair<string, object?> EntityType(string name) => new("kubeops.entity.type", name);

    private List<Measurement<int>> Depths()
    {
        var measurements = new List<Measurement<int>>();
        lock (_lock)
        {
            _queues.RemoveAll(entry => !entry.Queue.TryGetTarget(out _));
            foreach (var kind in _queues.GroupBy(entry => entry.EntityType))
            {
                var depths = kind.Select(entry => entry.Queue.TryGetTarget(out var queue) ? entry.Read(queue) : default).ToList();
                measurements.Add(new(depths.Sum(depth => depth.Scheduled), EntityType(kind.Key), new("kubeops.queue.state", "scheduled")));
                measurements.Add(new(depths.Sum(depth => depth.Ready), EntityType(kind.Key), new("kubeops.queue.state", "ready")));
            }
        }

        return measurements;
    }
}

internal static class MetricWords
{
    internal static string ToMetric(this ReconciliationType type) => type switch
    {
        ReconciliationType.Added => "added",
        ReconciliationType.Modified => "modified",
        _ => "deleted",
    };

    internal static string ToMetric(this ReconciliationTriggerSource source) =>
        source is ReconciliationTriggerSource.ApiServer ? "api_server" : "operator";
}
