using Ome.Shared.Domain.Aggregation;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Kube;

namespace Ome.Operator.Watching;

/// <summary>
/// Everything the status of models depends on: the reports of all nodes, folded, and which nodes exist. Fed by two informers; wakes exactly the
/// models whose aggregate got other input. Safe for use by many threads.
/// </summary>
public sealed class ReportIndex(ModelWaker waker, FleetMetrics metrics, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly ReportFold _fold = new();
    private readonly Dictionary<ModelKey, long> _changedAt = [];
    private volatile bool _isComplete;

    /// <summary>Raised with the name of a node that went, or whose report came without it.</summary>
    public event EventHandler<NodeMayBeGoneEventArgs>? NodeMayBeGone;

    /// <summary>Raised when <see cref="IsComplete"/> became true.</summary>
    public event EventHandler? Completed;

    /// <summary>Both informers have told everything they know: before that an aggregate would show nodes as gone that were only not seen yet.</summary>
    public bool IsComplete => _isComplete;

    /// <summary>Nodes that exist, and nodes with a report.</summary>
    public (int Nodes, int Reports) Counts
    {
        get
        {
            lock (_gate) return (_fold.LiveNodeCount, _fold.ReportCount);
        }
    }

    /// <summary>Handler of the report informer.</summary>
    public ValueTask OnReportAsync(InformerEvent<ArrivedReport> change, CancellationToken cancellationToken)
    {
        var changed = new List<ModelKey>();
        if (Fold(change, changed)) NodeMayBeGone?.Invoke(this, new NodeMayBeGoneEventArgs(change.Object.Name.Name));
        return waker.WakeAsync(changed, cancellationToken);
    }

    /// <summary>Handler of the node informer; the item is the name.</summary>
    public ValueTask OnNodeAsync(InformerEvent<string> change, CancellationToken cancellationToken)
    {
        if (change.Type == InformerEventType.Updated) return ValueTask.CompletedTask;
        var changed = new List<ModelKey>();
        var isGone = change.Type == InformerEventType.Deleted;
        lock (_gate)
        {
            _fold.SetNode(change.Object.Name.Name, !isGone, changed);
            Mark(changed);
        }

        if (isGone) NodeMayBeGone?.Invoke(this, new NodeMayBeGoneEventArgs(change.Object.Name.Name));
        return waker.WakeAsync(changed, cancellationToken);
    }

    /// <summary>Both informers have listed everything once: models that were looked at too early are looked at again.</summary>
    public ValueTask SetCompleteAsync(CancellationToken cancellationToken)
    {
        _isComplete = true;
        lock (_gate) _fold.Trim();
        Completed?.Invoke(this, EventArgs.Empty);
        return waker.WakeAllAsync(cancellationToken);
    }

    /// <summary>Leadership began: what changed before was somebody else's to show.</summary>
    public void ForgetChanges()
    {
        lock (_gate) _changedAt.Clear();
    }

    /// <summary>Makes a model and what it wants known.</summary>
    public void SetModel(ModelKey model, StorageIdentity wanted)
    {
        lock (_gate) _fold.SetModel(model, wanted);
    }

    /// <summary>Forgets a model.</summary>
    public void RemoveModel(ModelKey model)
    {
        lock (_gate)
        {
            _fold.RemoveModel(model);
            _changedAt.Remove(model);
        }
    }

    /// <summary>
    /// What the live nodes say of a model, and when the first change that nobody has looked at yet arrived (a timestamp, or null). Looking takes
    /// the changes: whoever does not act on them must say so with <see cref="PutBack"/>.
    /// </summary>
    public (ModelAggregate? Aggregate, long? ChangedAt) Look(ModelKey model)
    {
        lock (_gate)
        {
            var changedAt = _changedAt.Remove(model, out var at) ? at : (long?)null;
            return (_fold.Aggregate(model), changedAt);
        }
    }

    /// <summary>The changes taken by <see cref="Look"/> were not acted on.</summary>
    public void PutBack(ModelKey model, long? changedAt)
    {
        if (changedAt is not { } at) return;
        lock (_gate)
        {
            // A model forgotten meanwhile has no status that could show them.
            if (_fold.Knows(model)) _changedAt[model] = at;
        }
    }

    /// <summary>Whether a node exists, as far as we see.</summary>
    public bool IsLive(string node)
    {
        lock (_gate) return _fold.IsLive(node);
    }

    /// <summary>Whether a model is there, and in which life.</summary>
    public bool Knows(ModelKey model, out string uid) => waker.IsKnown(model, out uid);

    /// <summary>Nodes with a report that do not exist, as far as we see.</summary>
    public IReadOnlyList<string> NodesGone()
    {
        lock (_gate) return [.. _fold.NodesGone];
    }

    /// <summary>As <see cref="NodesGone"/>, only those whose report still holds the model.</summary>
    public IReadOnlyList<string> NodesGoneHolding(ModelKey model)
    {
        lock (_gate) return _fold.NodesGoneHolding(model);
    }

    /// <summary>All models known, with what their nodes say: for pages and metrics, not for decisions.</summary>
    public IReadOnlyList<ModelAggregate> Snapshot()
    {
        List<ModelKey> models;
        lock (_gate) models = [.. _fold.Models];
        var aggregates = new List<ModelAggregate>(models.Count);
        foreach (var model in models)
        {
            // One model at a time: a page must not hold up the reports of a big fleet.
            lock (_gate)
            {
                if (_fold.Aggregate(model) is { } aggregate) aggregates.Add(aggregate);
            }
        }

        return aggregates;
    }

    // True for a report of a node that does not exist.
    private bool Fold(InformerEvent<ArrivedReport> change, List<ModelKey> changed)
    {
        using var data = change.Item.Take() ?? ReportData.Of(null);
        var node = change.Object.Name.Name;
        lock (_gate)
        {
            if (change.Type == InformerEventType.Deleted) _fold.RemoveReport(node, changed);
            else _fold.SetReport(node, data, changed);
            Mark(changed);
            metrics.Entries(_fold.EntryCounts);
            return change.Type != InformerEventType.Deleted && _isComplete && !_fold.IsLive(node);
        }
    }

    // The first change counts: latency is the age of the oldest thing the status does not show. What nodes say of a model that is gone, or that
    // nobody has looked at, waits for no status.
    private void Mark(List<ModelKey> changed)
    {
        var now = time.GetTimestamp();
        foreach (var model in changed)
        {
            if (_fold.Knows(model)) _changedAt.TryAdd(model, now);
        }
    }
}

/// <summary>A node ConfigMap on its way into the index: the data is handed over once and not kept by the informer.</summary>
public sealed class ArrivedReport(ReportData? data)
{
    private ReportData? _data = data;

    /// <summary>The data, the first time; then nothing.</summary>
    public ReportData? Take() => Interlocked.Exchange(ref _data, null);
}

/// <summary>Which node may be gone.</summary>
public sealed class NodeMayBeGoneEventArgs(string node) : EventArgs
{
    /// <summary>Its name.</summary>
    public string Node => node;
}
