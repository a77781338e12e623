using System.Collections.Concurrent;
using Ome.Shared.Domain.Aggregation;
using Ome.Shared.Domain.Models;
using Prometheus;

namespace Ome.Operator;

/// <summary>The operator's instruments, one method per fact.</summary>
public sealed class FleetMetrics
{
    private static readonly string[] ModelLabels = ["kind", "namespace", "name"];
    private static readonly string[] States = ["ready", "failed", "updating", "stale", "unreadable"];

    private readonly ConcurrentDictionary<ModelKey, DateTimeOffset> _proofs = [];
    private readonly Gauge _nodes;
    private readonly Gauge _damaged;
    private readonly Gauge _proofAge;
    private readonly Gauge _leader;
    private readonly Gauge _entries;
    private readonly Gauge _unreadable;
    private readonly Gauge _startup;
    private readonly Counter _statusWrites;
    private readonly Counter _specFills;
    private readonly Counter _reaped;
    private readonly Histogram _latency;

    /// <summary>Instruments in a registry; ages are computed when it is read.</summary>
    public FleetMetrics(CollectorRegistry registry, TimeProvider time)
    {
        var metrics = Metrics.WithCustomRegistry(registry);
        _nodes = metrics.CreateGauge("ome_model_nodes", "Live nodes that report a model, by what they say.", [.. ModelLabels, "state"]);
        _damaged = metrics.CreateGauge("ome_model_damaged_nodes", "Live nodes on which a check found confirmed damage.", ModelLabels);
        _proofAge = metrics.CreateGauge(
            "ome_model_oldest_proof_age_seconds", "Age of the oldest proof of any byte of a model on any ready node.", ModelLabels);
        _leader = metrics.CreateGauge("ome_operator_leader", "1 while this process leads.");
        _entries = metrics.CreateGauge("ome_operator_report_entries", "Entries in the reports of all nodes.");
        _unreadable = metrics.CreateGauge("ome_operator_unreadable_entries", "Entries in the reports of all nodes that cannot be read.");
        _startup = metrics.CreateGauge("ome_operator_startup_seconds", "From the start of the process until the host ran, and until nodes and reports were listed.", ["phase"]);
        _statusWrites = metrics.CreateCounter("ome_operator_status_writes_total", "Status patches sent.");
        _specFills = metrics.CreateCounter("ome_operator_spec_fills_total", "Spec patches sent.");
        _reaped = metrics.CreateCounter("ome_operator_reaped_total", "Objects of nodes or models that are gone, removed.", ["kind"]);
        _latency = metrics.CreateHistogram(
            "ome_operator_propagation_seconds",
            "Time from the arrival of a node report to the status that shows it.",
            new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.001, 2, 14) });
        registry.AddBeforeCollectCallback(() =>
        {
            foreach (var (model, proof) in _proofs) _proofAge.WithLabels(Labels(model)).Set((time.GetUtcNow() - proof).TotalSeconds);
        });
    }

    /// <summary>What the nodes say of a model now.</summary>
    public void Show(ModelAggregate aggregate)
    {
        int[] counts = [aggregate.NodesReady.Count, aggregate.NodesFailed.Count, aggregate.NodesUpdating.Count, aggregate.NodesStale.Count, aggregate.NodesUnreadable.Count];
        var labels = Labels(aggregate.Model);
        for (var i = 0; i < States.Length; i++) _nodes.WithLabels([.. labels, States[i]]).Set(counts[i]);
        _damaged.WithLabels(labels).Set(aggregate.NodesDamaged.Count);
        if (aggregate.OldestProof is { } proof) _proofs[aggregate.Model] = proof;
        else if (_proofs.TryRemove(aggregate.Model, out _)) _proofAge.RemoveLabelled(labels);
    }

    /// <summary>A model is gone.</summary>
    public void Forget(ModelKey model)
    {
        var labels = Labels(model);
        foreach (var state in States) _nodes.RemoveLabelled([.. labels, state]);
        _damaged.RemoveLabelled(labels);
        _proofs.TryRemove(model, out _);
        _proofAge.RemoveLabelled(labels);
    }

    /// <summary>A status was written; the age of the oldest change it shows, if a report caused it.</summary>
    public void StatusWritten(TimeSpan? latency)
    {
        _statusWrites.Inc();
        if (latency is { } time) _latency.Observe(time.TotalSeconds);
    }

    /// <summary>A spec was filled.</summary>
    public void SpecFilled() => _specFills.Inc();

    /// <summary>An object of a node or model that is gone was removed.</summary>
    public void Reaped(string kind) => _reaped.WithLabels(kind).Inc();

    /// <summary>Entries of all reports, and those nobody can read.</summary>
    public void Entries((int All, int Unreadable) counts)
    {
        _entries.Set(counts.All);
        _unreadable.Set(counts.Unreadable);
    }

    /// <summary>A phase of the start is over, so long after the process began.</summary>
    public void Started(string phase, TimeSpan after) => _startup.WithLabels(phase).Set(after.TotalSeconds);

    /// <summary>Whether this process leads.</summary>
    public void Leads(bool leads) => _leader.Set(leads ? 1 : 0);

    private static string[] Labels(ModelKey model) => [model.Kind.ToString(), model.Namespace, model.Name];
}
