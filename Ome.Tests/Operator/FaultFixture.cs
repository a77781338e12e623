using System.Collections.Concurrent;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Aggregation;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Kube;

namespace Ome.Tests.Operator;

/// <summary>
/// Nodes, reports and models that change while things fail, and what must hold afterwards: the status is the fold of what is there, a condition
/// whose cause never went has not moved, no finalizer is lost, reports of live nodes stand and those of nodes that are gone do not, and a model
/// of which nothing changed was not written.
/// </summary>
public abstract class FaultFixture : OperatorFixture
{
    private const int Nodes = 8;
    private static readonly StorageIdentity Wanted = new("hf://org/model", "/mnt/models/model");

    private readonly List<string> _nodes = [];
    private readonly HashSet<string> _reported = new(StringComparer.Ordinal);
    private readonly List<ModelKey> _models = [];
    private readonly ConcurrentDictionary<(string Model, string Status, DateTimeOffset? Since), bool> _readySeen = [];
    private CancellationTokenSource _stop = new();
    private Task _watching = Task.CompletedTask;
    private ModelKey _quiet = null!;
    private string _quietVersion = string.Empty;

    /// <summary>Three models that change and one that does not; all are Ready on a node nobody touches. Needs a running operator.</summary>
    protected async Task FillAsync(CancellationToken cancellationToken)
    {
        _stop = new CancellationTokenSource();
        _nodes.Clear();
        _reported.Clear();
        _models.Clear();
        _readySeen.Clear();
        for (var i = 0; i < Nodes; i++) _nodes.Add(await NodeAsync(cancellationToken));
        var anchor = await NodeAsync(cancellationToken);
        _quiet = await ModelAsync(cancellationToken);
        for (var i = 0; i < 3; i++) _models.Add(await ModelAsync(cancellationToken));
        foreach (var model in _models.Append(_quiet))
        {
            await ReportAsync(anchor, model, NodeModelState.Ready, cancellationToken);
            await UntilAsync(model, static found => found.Status?.State == "Ready", cancellationToken);
        }

        _quietVersion = (await UntilAsync(_quiet, static _ => true, cancellationToken)).ResourceVersion();
        var informer = new Informer<ClusterBaseModel, ClusterBaseModel>(
            Plane.Admin, new InformerOptions { BackoffFirst = TimeSpan.FromMilliseconds(20) }, static model => model, RememberAsync, TimeProvider.System, NullLogger<Informer<ClusterBaseModel, ClusterBaseModel>>.Instance);
        _watching = informer.RunAsync(_stop.Token);
        await informer.WaitForSyncAsync(cancellationToken);
    }

    /// <summary>One thing changes: an entry says something else or goes, or a node goes and another comes.</summary>
    protected async Task ChangeAsync(Random random, CancellationToken cancellationToken)
    {
        if (random.Next(8) == 0)
        {
            var gone = _nodes[random.Next(_nodes.Count)];
            await DeleteNodeAsync(gone, cancellationToken);
            _nodes.Remove(gone);
            _nodes.Add(await NodeAsync(cancellationToken));
            return;
        }

        var (model, node) = (_models[random.Next(_models.Count)], _nodes[random.Next(_nodes.Count)]);
        var entry = random.Next(5) switch
        {
            0 => """{"status":"Failed","validation":{"result":"Invalid","reason":"FileMissing","message":"config.json is missing"}}""",
            1 => """{"status":"Updating"}""",
            2 => null,
            _ => """{"status":"Ready","validation":{"result":"Valid"}}""",
        };
        await ReportAsync(node, model, entry, cancellationToken);
        _reported.Add(node);
    }

    /// <summary>Waits until all of it holds.</summary>
    protected async Task ConvergedAsync(CancellationToken cancellationToken)
    {
        var live = (await Plane.Admin.CoreV1.ListNodeAsync(cancellationToken: cancellationToken)).Items.Select(static node => node.Name()).ToHashSet(StringComparer.Ordinal);
        var maps = (await Plane.Admin.CoreV1.ListNamespacedConfigMapAsync(Namespace, labelSelector: OmeNames.ReportSelector, cancellationToken: cancellationToken)).Items;
        var reports = maps.Select(static map => NodeReport.Read(map.Name(), map.Data)).ToList();
        foreach (var model in _models.Append(_quiet))
        {
            var want = ModelAggregator.Fold(model, Wanted, reports, live);
            var intact = ModelConditions.Of(want, new ModelSpec { Key = model, StorageUri = Wanted.Uri, StoragePath = Wanted.Path }).Single(static condition => condition.Type == ModelConditions.ArtifactsIntact);
            var found = await UntilAsync(
                model,
                one => one.Status?.NodesReady?.SequenceEqual(want.NodesReady, StringComparer.Ordinal) == true && (one.Status.NodesFailed ?? []).SequenceEqual(want.NodesFailed, StringComparer.Ordinal)
                    && one.Status.Conditions?.Exists(condition => condition.Type == intact.Type && condition.Status == intact.Status && condition.Message == intact.Message) == true,
                cancellationToken);
            found.Finalizers().Should().Equal("clusterbasemodels.ome.io/finalizer");
        }

        foreach (var gone in reports.Select(static report => report.NodeName).Where(name => !live.Contains(name)))
        {
            await Reports.UntilAsync(Namespace, gone, static found => found is null, cancellationToken);
        }

        foreach (var node in _reported.Where(live.Contains)) await Reports.UntilAsync(Namespace, node, static found => found is not null, cancellationToken);
        (await UntilAsync(_quiet, static _ => true, cancellationToken)).ResourceVersion().Should().Be(_quietVersion, "nothing of it changed");
        foreach (var model in _models) _readySeen.Keys.Where(seen => seen.Model == model.Name).Should().ContainSingle("its anchor was ready all the time").Which.Status.Should().Be("True");
    }

    [TearDown]
    public async Task StopWatchingAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
        // A test that is skipped before it fills anything is torn down too.
        (_stop, _watching) = (new CancellationTokenSource(), Task.CompletedTask);
    }

    private ValueTask RememberAsync(InformerEvent<ClusterBaseModel> change, CancellationToken cancellationToken)
    {
        foreach (var ready in change.Item.Status?.Conditions?.Where(static condition => condition.Type == ModelConditions.Ready) ?? [])
        {
            _readySeen.TryAdd((change.Object.Name.Name, ready.Status, ready.LastTransitionTime), true);
        }

        return ValueTask.CompletedTask;
    }
}
