using k8s;
using k8s.Models;
using Ome.Operator;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Kube;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Operator;

/// <summary>What happened while nobody watched: the operator was down, or the API server was.</summary>
[Parallelizable]
public sealed class OutageTests : OperatorFixture
{
    private readonly List<string> _nodes = [];
    private ModelKey _model = null!;

    private const int Live = 10;
    private const int Gone = 200;
    private const string OperatorUser = "system:serviceaccount:ome:ome-operator";

    /// <summary>A model ready on 210 nodes, of which 200 are gone before the operator starts; checks of the first twenty.</summary>
    protected override async Task BeforeOperatorAsync(CancellationToken cancellationToken)
    {
        _model = await ModelAsync(cancellationToken);
        for (var i = 0; i < Live + Gone; i++)
        {
            var node = await NodeAsync(cancellationToken, i < Live ? null : $"gone-{i}");
            _nodes.Add(node);
            await ReportAsync(node, _model, NodeModelState.Ready, cancellationToken);
            if (i < 2 * Live) await CheckAsync(node, cancellationToken);
        }

        foreach (var node in _nodes.Skip(Live)) await DeleteNodeAsync(node, cancellationToken);
    }

    [Test, Order(1), CancelAfter(180_000)]
    public async Task Nodes_that_went_while_the_operator_was_down_are_cleaned_up_and_live_ones_are_not(CancellationToken cancellationToken)
    {
        await UntilAsync(_model, found => found.Status?.NodesReady?.Count == Live, cancellationToken);
        foreach (var node in _nodes.Skip(Live)) await Reports.UntilAsync(Namespace, node, static found => found is null, cancellationToken);

        await using var checks = new Support.ObjectObserver<ModelIntegrityCheck>(Plane.Admin);
        foreach (var node in _nodes.Skip(Live).Take(Live)) await checks.UntilAsync(null, _model.CheckName(node), static found => found is null, cancellationToken);
        foreach (var node in _nodes.Take(Live)) await checks.UntilAsync(null, _model.CheckName(node), static found => found is not null, cancellationToken);
        Reports.All.Select(static report => report.Name()).Should().BeEquivalentTo(_nodes.Take(Live));
        (await UntilAsync(_model, static _ => true, cancellationToken)).Metadata.Finalizers.Should().Equal("clusterbasemodels.ome.io/finalizer");
    }

    [Test, Order(2), CancelAfter(180_000)]
    public async Task Changes_during_an_outage_are_shown_after_it(CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        await UntilAsync(_model, found => found.Status?.NodesReady?.Count == Live, cancellationToken);

        using (faults.Add(new() { Resource = "configmaps", Verb = "watch", Code = 503 }))
        {
            faults.DropWatches("configmaps");
            await ReportAsync(_nodes[0], _model, NodeModelState.Failed, cancellationToken);
            faults.TruncateHistory();
            await DeleteNodeAsync(_nodes[1], cancellationToken);
            await UntilAsync(_model, found => found.Status?.NodesReady?.Count == Live - 1, cancellationToken);
        }

        await UntilAsync(_model, found => found.Status?.NodesReady?.Count == Live - 2 && found.Status.NodesFailed!.SequenceEqual([_nodes[0]]), cancellationToken);
    }

    [Test, Order(3), CancelAfter(180_000)]
    public async Task A_node_that_came_and_went_unseen_leaves_no_report(CancellationToken cancellationToken)
    {
        var (faults, log) = (Plane.RequireFaults(), Plane.RequireRequestLog());
        // What was gone before it started is cleaned up: the operator knows the nodes, also when this test runs alone.
        foreach (var gone in _nodes.Skip(Live)) await Reports.UntilAsync(Namespace, gone, static found => found is null, cancellationToken);
        string node;
        using (faults.Add(new() { Resource = "nodes", Verb = "watch", User = OperatorUser, Code = 503 }))
        using (faults.Add(new() { Resource = "nodes", Verb = "list", User = OperatorUser, Code = 503 }))
        {
            faults.DropWatches("nodes");
            node = await NodeAsync(cancellationToken, "unseen");
            await ReportAsync(node, _model, NodeModelState.Ready, cancellationToken);
            // The reaper has asked for it, and found it there.
            while (!log.Last.Any(request => request.Verb == "get" && request.Resource == "nodes" && request.Name == node)) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
            await DeleteNodeAsync(node, cancellationToken);
        }

        await Reports.UntilAsync(Namespace, node, static found => found is null, cancellationToken);
    }

    [Test, Order(4), CancelAfter(180_000)]
    public async Task Failing_status_writes_are_tried_until_they_succeed(CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        using var broken = faults.Add(new() { Verb = "patch", Subresource = "status", Code = 500, Times = 3 });

        await ReportAsync(_nodes[2], _model, NodeModelState.Failed, cancellationToken);

        await UntilAsync(_model, found => found.Status?.NodesFailed?.Contains(_nodes[2]) == true, cancellationToken);
        broken.Hits.Should().Be(3);
    }

    [Test, Order(5), CancelAfter(180_000)]
    public async Task A_lost_answer_to_a_status_write_does_no_harm(CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        using var lost = faults.Add(new() { Verb = "patch", Subresource = "status", LoseAnswer = true, Times = 1 });

        await ReportAsync(_nodes[3], _model, NodeModelState.Failed, cancellationToken);
        await UntilAsync(_model, found => found.Status?.NodesFailed?.Contains(_nodes[3]) == true, cancellationToken);
        await ReportAsync(_nodes[3], _model, NodeModelState.Ready, cancellationToken);

        await UntilAsync(_model, found => found.Status?.NodesFailed?.Contains(_nodes[3]) == false, cancellationToken);
    }

    [Test, Order(6), CancelAfter(180_000)]
    public async Task A_second_replica_takes_over_and_the_first_writes_no_more(CancellationToken cancellationToken)
    {
        await StopOperatorAsync(Operator!);
        var options = new OperatorOptions { Host = "127.0.0.1", Port = 0, LeaderElect = true, LeaderLease = TimeSpan.FromSeconds(3), StatusInterval = TimeSpan.FromMilliseconds(200), LogLevel = "warn" };
        var first = await StartOperatorAsync(cancellationToken, options);
        await ReportAsync(_nodes[4], _model, NodeModelState.Failed, cancellationToken);
        await UntilAsync(_model, found => found.Status?.NodesFailed?.Contains(_nodes[4]) == true, cancellationToken);
        Operator = await StartOperatorAsync(cancellationToken, options);
        var holder = (await Plane.Admin.CoordinationV1.ReadNamespacedLeaseAsync("ome-operator-leader", Namespace, cancellationToken: cancellationToken)).Spec.HolderIdentity;

        await StopOperatorAsync(first);
        await ReportAsync(_nodes[5], _model, NodeModelState.Failed, cancellationToken);

        await UntilAsync(_model, found => found.Status?.NodesFailed?.Contains(_nodes[5]) == true, cancellationToken);
        (await Plane.Admin.CoordinationV1.ReadNamespacedLeaseAsync("ome-operator-leader", Namespace, cancellationToken: cancellationToken)).Spec.HolderIdentity.Should().NotBe(holder);
    }

    private Task CheckAsync(string node, CancellationToken cancellationToken)
    {
        var check = new ModelIntegrityCheck
        {
            Metadata = new V1ObjectMeta
            {
                Name = _model.CheckName(node),
                Labels = new Dictionary<string, string> { [OmeNames.CheckNodeLabel] = node, [OmeNames.CheckKeyLabel] = HashedName.Fit(_model.DataKey, 63) },
            },
            Spec = new ModelIntegrityCheckSpec { NodeName = node, ModelRef = ModelSpecReader.ReferenceTo(new ModelSpec { Key = _model, StorageUri = "hf://org/model" }) },
            Status = null!,
        };
        return Plane.Admin.CustomObjects.CreateClusterCustomObjectAsync<ModelIntegrityCheck>(check, OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, cancellationToken: cancellationToken);
    }
}
