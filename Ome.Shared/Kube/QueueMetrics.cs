using Prometheus;

namespace Ome.Shared.Kube;

/// <summary>Instruments of the work queues and of the runs they lead to, one label value per kind.</summary>
public sealed class QueueMetrics(IMetricFactory metrics)
{
    private readonly Gauge _depth = metrics.CreateGauge("ome_queue_depth", "Objects that wait to be reconciled, now or later.", ["kind"]);

    private readonly Histogram _latency = metrics.CreateHistogram(
        "ome_queue_latency_seconds",
        "Time between an object being due and its reconciliation being started.",
        ["kind"],
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.001, 4, 10) });

    private readonly Counter _retries = metrics.CreateCounter("ome_queue_retries_total", "Reconciliations queued again after a failure.", ["kind"]);

    private readonly Histogram _duration = metrics.CreateHistogram(
        "ome_reconcile_duration_seconds",
        "Time a reconciliation took, with the reading of its object; also of those that failed.",
        ["kind"],
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.001, 4, 10) });

    private readonly Counter _errors = metrics.CreateCounter("ome_reconcile_errors_total", "Reconciliations that failed.", ["kind"]);

    internal Gauge.Child Depth(string kind) => _depth.WithLabels(kind);

    internal Histogram.Child Latency(string kind) => _latency.WithLabels(kind);

    internal Counter.Child Retries(string kind) => _retries.WithLabels(kind);

    internal Histogram.Child Duration(string kind) => _duration.WithLabels(kind);

    internal Counter.Child Errors(string kind) => _errors.WithLabels(kind);
}
