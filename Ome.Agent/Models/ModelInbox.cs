using k8s;
using k8s.Models;
using Ome.Agent.Hosting;
using Ome.Agent.Integrity;
using Ome.Agent.Publishing;
using Ome.Agent.Staging;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Kube;

namespace Ome.Agent.Models;

/// <summary>The agent's own Node, as far as it matters: placement facts, its UID, the model labels it carries, and what it shows of its disks.</summary>
public sealed record OwnNode(NodeFacts Facts, string Uid, string? StorageStatus);

/// <summary>The agent's own report, and whether its ConfigMap carries the labels by which others find it.</summary>
public sealed record OwnReport(NodeReport Report, bool IsMarked);

/// <summary>
/// Watches both kinds of model, the own Node and the own ConfigMap, and turns what changes into keys to look at. Deletions that happened while nothing was
/// watched are caught up with: after the first lists, every model with a record, an entry or a label is looked at, wanted or not (W10, W21, W29).
/// </summary>
public sealed partial class ModelInbox : BackgroundService
{
    private readonly Informer<BaseModel, ModelSpec> _namespaced;
    private readonly Informer<ClusterBaseModel, ModelSpec> _cluster;
    private readonly Informer<V1Node, OwnNode> _node;
    private readonly Informer<V1ConfigMap, OwnReport> _report;
    private readonly ModelCatalog _catalog;
    private readonly ModelRecordStore _records;
    private readonly ModelQueue _queue;
    private readonly ModelWorker _worker;
    private readonly NodeReportView _view;
    private readonly IntegrityService _integrity;
    private readonly ReportPublisher _publisher;
    private readonly Publications _publications;
    private readonly StorageWatch _storage;
    private readonly ArtifactStager _stager;
    private readonly ILogger<ModelInbox> _logger;
    private volatile bool _caughtUp;

    public ModelInbox(
        IKubernetes client, AgentOptions options, ModelCatalog catalog, ModelRecordStore records, ModelQueue queue, ModelWorker worker, NodeReportView view,
        IntegrityService integrity, ReportPublisher publisher, Publications publications, StorageWatch storage, ArtifactStager stager,
        TimeProvider time, ILoggerFactory loggers)
    {
        (_catalog, _records, _queue, _worker, _view, _integrity, _publisher, _publications, _storage, _stager) = (catalog, records, queue, worker, view, integrity, publisher, publications, storage, stager);
        _logger = loggers.CreateLogger<ModelInbox>();
        var seed = options.NodeName.GetHashCode(StringComparison.Ordinal);
        var everything = new InformerOptions { JitterSeed = seed };
        _namespaced = new(
            client, everything, ModelSpecReader.Read, TakeAsync, time, loggers.CreateLogger<Informer<BaseModel, ModelSpec>>(), (name, isMisfit) => Take(ModelKey.Namespaced(name.Namespace, name.Name), isMisfit));
        _cluster = new(
            client, everything, ModelSpecReader.Read, TakeAsync, time, loggers.CreateLogger<Informer<ClusterBaseModel, ModelSpec>>(), (name, isMisfit) => Take(ModelKey.Cluster(name.Name), isMisfit));
        var own = everything with { FieldSelector = "metadata.name=" + options.NodeName };
        _node = new(client, own, static node => new OwnNode(NodeFactsReader.Read(node), node.Uid() ?? "", NodeConditionSink.StatusOf(node)), TakeAsync, time, loggers.CreateLogger<Informer<V1Node, OwnNode>>());
        _report = new(
            client, own with { Namespace = options.Namespace }, static map => new OwnReport(NodeReport.Read(map.Name(), map.Data), IsMarked(map)), TakeAsync, time,
            loggers.CreateLogger<Informer<V1ConfigMap, OwnReport>>());
    }

    /// <summary>Everything was listed once and what was missed is queued.</summary>
    public bool IsSynced => _caughtUp;

    /// <summary>Longest silence of any of the watches.</summary>
    public TimeSpan LongestSilence => new[] { _namespaced.LastEventAge, _cluster.LastEventAge, _node.LastEventAge }.Max();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.WhenAll(
            _node.RunAsync(stoppingToken), _namespaced.RunAsync(stoppingToken), _cluster.RunAsync(stoppingToken), _report.RunAsync(stoppingToken),
            CatchUpAsync(stoppingToken));
    }

    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(_node.WaitForSyncAsync(cancellationToken), _namespaced.WaitForSyncAsync(cancellationToken), _cluster.WaitForSyncAsync(cancellationToken), _report.WaitForSyncAsync(cancellationToken));
            // Only now is an absent model a deleted one.
            _catalog.Listed();
            _caughtUp = true;
            _publisher.TryNow();
            _integrity.WakeDue();
            foreach (var record in _records.All) _queue.Add(record.Key);
            foreach (var spec in _catalog.All) _queue.Add(spec.Key);
            if (_report.Snapshot() is [{ Report: var report }, ..])
            {
                var known = new ModelKeySet(_catalog.All.Select(spec => spec.Key));
                foreach (var dataKey in report.Entries.Keys) QueueEntry(known, dataKey);
            }

            if (_node.Snapshot() is [var node, ..]) QueueStaleLabels(node);
            else LogNoNode();
            // What belongs to a model that cannot be read is not known.
            if (_catalog.Unreadable == 0) await Task.Run(() => _stager.SweepAsync(Destinations, cancellationToken), cancellationToken);
        }
        catch (Exception left) when (left is IOException or UnauthorizedAccessException)
        {
            LogNotSwept(left.Message);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Where models have files on this node or are to have them.</summary>
    private IEnumerable<string> Destinations() => _records.All.Select(record => record.StoragePath).Concat(_catalog.All.Select(spec => _catalog.Find(spec.Key)?.Destination).OfType<string>());

    private void QueueEntry(ModelKeySet known, string dataKey)
    {
        if (known.TryFindByDataKey(dataKey, out var model)) _queue.Add(model);
        else if (ModelKey.TryParseDataKey(dataKey, out var gone)) _queue.Add(gone);
    }

    /// <summary>A label of ours that belongs to no model: its model went while nobody watched, and its hashed name cannot be read back.</summary>
    private void QueueStaleLabels(OwnNode node)
    {
        var known = new ModelKeySet(_catalog.All.Select(spec => spec.Key));
        foreach (var label in node.Facts.Labels.Keys.Where(label => label.StartsWith(OmeNames.NodeLabelPrefix, StringComparison.Ordinal)))
        {
            if (known.AllByLabelKey(label).Count > 0) continue;
            if (ModelKey.TryParseDataKey(label[OmeNames.NodeLabelPrefix.Length..], out var gone) && gone.LabelKey == label) _queue.Add(gone);
        }
    }

    private ValueTask TakeAsync(InformerEvent<ModelSpec> change, CancellationToken cancellationToken)
    {
        if (change.Type == InformerEventType.Deleted) _catalog.Remove(change.Item.Key, change.Object.Uid);
        else if (!_catalog.Put(change.Item)) return ValueTask.CompletedTask;
        _worker.Interrupt(change.Item.Key);
        if (change.Type == InformerEventType.Updated) _integrity.Hasten(change.Item);
        _integrity.Decide(change.Item.Key);
        _integrity.Request(change.Item.Key, new FullCheckRequest(change.Item.Integrity.VerifyNow, null));
        if (_caughtUp || change.Type != InformerEventType.Added) _queue.Add(change.Item.Key);
        return ValueTask.CompletedTask;
    }

    /// <summary>A model whose object cannot be read is no deleted one.</summary>
    private void Take(ModelKey key, bool isMisfit)
    {
        if (isMisfit) _catalog.PutUnreadable(key, _records.Find(key)?.StoragePath);
        else _catalog.RemoveUnreadable(key);
        if (_caughtUp) _queue.Add(key);
    }

    private ValueTask TakeAsync(InformerEvent<OwnNode> change, CancellationToken cancellationToken)
    {
        if (change.Type == InformerEventType.Deleted) return ValueTask.CompletedTask;
        _publications.SetNodeUid(change.Item.Uid);
        _storage.NodeShows(change.Item.StorageStatus);
        foreach (var key in _catalog.PutNode(change.Item.Facts))
        {
            _worker.Interrupt(key);
            if (_caughtUp) _queue.Add(key);
        }

        _publisher.Repeat(publication => !LabelIs(change.Item.Facts, publication));
        return ValueTask.CompletedTask;
    }

    private ValueTask TakeAsync(InformerEvent<OwnReport> change, CancellationToken cancellationToken)
    {
        // Without its labels nobody finds the report, whatever its entries say.
        if (change.Type == InformerEventType.Deleted || !change.Item.IsMarked) _publisher.Repeat(static _ => true);
        else _publisher.Repeat(publication => !EntryIs(change.Item.Report, publication));
        return ValueTask.CompletedTask;
    }

    private static bool LabelIs(NodeFacts node, Publication publication) =>
        node.Labels.TryGetValue(publication.Key.LabelKey, out var value) && value == publication.State.ToWire();

    private static bool IsMarked(V1ConfigMap map) => NodeReport.LabelsFor(map.Name()).All(mark => map.Metadata.Labels is { } labels && labels.TryGetValue(mark.Key, out var value) && value == mark.Value);

    private static bool EntryIs(NodeReport report, Publication publication) =>
        report.Entries.TryGetValue(publication.Key.DataKey, out var item) && item.Entry?.State == publication.State;

    [LoggerMessage(EventId = 2401, Level = LogLevel.Error, Message = "There is no Node with the agent's name. Set NODE_NAME from spec.nodeName; models are staged, but no label can be written.")]
    private partial void LogNoNode();

    [LoggerMessage(EventId = 2402, Level = LogLevel.Warning, Message = "What stagings of unknown models left could not be removed; tried again at the next start: {Problem}")]
    private partial void LogNotSwept(string problem);
}
