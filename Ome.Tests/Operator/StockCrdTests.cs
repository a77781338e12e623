using k8s;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Operator;

/// <summary>On OME's own CRDs, which drop every status member Ome adds: everything else works, and nothing is written in circles.</summary>
public sealed class StockCrdTests : OperatorFixture
{
    private static readonly string[] Additive = ["conditions", "observedGeneration", "nodeSummary", "nodesDamaged", "oldestProofTime"];

    protected override V1CustomResourceDefinition Adjust(V1CustomResourceDefinition crd)
    {
        if (crd.Spec.Names.Kind == ModelIntegrityCheck.KindName) return crd;
        foreach (var version in crd.Spec.Versions)
        {
            var status = version.Schema.OpenAPIV3Schema.Properties["status"];
            foreach (var member in Additive) status.Properties.Remove(member).Should().BeTrue("{0} is what the stock CRD lacks", member);
            version.AdditionalPrinterColumns = [.. version.AdditionalPrinterColumns.Where(static column => column.Priority is null or 0)];
        }

        return crd;
    }

    [Test, CancelAfter(120_000)]
    public async Task Pruned_members_are_missed_but_not_written_again_and_again(CancellationToken cancellationToken)
    {
        var (node, other) = (await NodeAsync(cancellationToken), await NodeAsync(cancellationToken));
        var (model, second) = (await ModelAsync(cancellationToken), await ModelAsync(cancellationToken));
        await ReportAsync(node, model, NodeModelState.Ready, cancellationToken);
        var found = await UntilAsync(model, static one => one.Status?.State == "Ready", cancellationToken);
        found.Status.Conditions.Should().BeNull();
        found.Status.NodesReady.Should().Equal(node);
        await UntilAsync(second, static one => one.Status?.State is not null, cancellationToken);
        var version = (await UntilAsync(model, static _ => true, cancellationToken)).ResourceVersion();
        Plane.Requests?.Clear();

        // Changes only what is pruned, ten times; then something that shows, on a model that is looked at later.
        for (var i = 0; i < 10; i++)
        {
            await ReportAsync(other, model, i % 2 == 0 ? NodeModelState.Updating : NodeModelState.Deleted, cancellationToken);
        }

        await ReportAsync(other, second, NodeModelState.Ready, cancellationToken);
        await UntilAsync(second, static one => one.Status?.State == "Ready", cancellationToken);

        (await UntilAsync(model, static _ => true, cancellationToken)).ResourceVersion().Should().Be(version);
        Plane.Requests?.Writes.Should().NotContain(write => write.Resource == ClusterBaseModel.Plural && write.Name == model.Name);
    }

    [Test, CancelAfter(180_000)]
    public async Task Over_many_changes_each_is_written_once_and_nothing_else_is(CancellationToken cancellationToken)
    {
        var log = Plane.RequireRequestLog();
        var (node, other) = (await NodeAsync(cancellationToken), await NodeAsync(cancellationToken));
        var (model, second) = (await ModelAsync(cancellationToken), await ModelAsync(cancellationToken));
        await ReportAsync(node, model, NodeModelState.Ready, cancellationToken);
        await UntilAsync(model, static one => one.Status?.State == "Ready", cancellationToken);
        await UntilAsync(second, static one => one.Status?.State is not null, cancellationToken);
        log.Clear();

        for (var i = 1; i <= 5; i++)
        {
            // A change of what the CRD keeps, one of what it drops, and a touch that only makes the operator look.
            await ReportAsync(node, model, i % 2 == 0 ? NodeModelState.Ready : NodeModelState.Failed, cancellationToken);
            await UntilAsync(model, found => found.Status?.State == (i % 2 == 0 ? "Ready" : "Failed"), cancellationToken);
            await ReportAsync(other, model, i % 2 == 0 ? NodeModelState.Updating : NodeModelState.Deleted, cancellationToken);
            await TouchAsync(model, i, cancellationToken);
        }

        await StopOperatorAsync(Operator!);
        Operator = await StartOperatorAsync(cancellationToken);
        await ReportAsync(other, second, NodeModelState.Ready, cancellationToken);
        await UntilAsync(second, static one => one.Status?.State == "Ready", cancellationToken);

        // A fresh process learns from its first write of the kind that members are dropped; it may send that one in vain.
        log.Writes.Count(write => write.Subresource == "status" && write.Name == model.Name).Should().BeInRange(5, 6);
        log.Writes.Should().NotContain(write => write.Name == model.Name && write.Subresource.Length == 0 && write.User.EndsWith(":ome-operator", StringComparison.Ordinal));
    }

    [Test, CancelAfter(120_000)]
    public async Task Damage_still_moves_the_node_and_sends_an_event(CancellationToken cancellationToken)
    {
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken);
        await ReportAsync(node, model, NodeModelState.Ready, cancellationToken);
        await UntilAsync(model, static one => one.Status?.State == "Ready", cancellationToken);

        await ReportAsync(node, model, """{"status":"Failed","validation":{"result":"Invalid","reason":"FileMissing","message":"config.json is missing"}}""", cancellationToken);

        await UntilAsync(model, found => found.Status?.State == "Failed" && found.Status.NodesFailed!.SequenceEqual([node]), cancellationToken);
        await Events.AnyAsync(seen => seen.Reason == "NodeWithdrawn" && seen.InvolvedObject.Name == model.Name && seen.Message.Contains("config.json", StringComparison.Ordinal), cancellationToken);
    }

    private Task TouchAsync(ModelKey model, int number, CancellationToken cancellationToken)
    {
        var touch = new V1Patch(new { spec = new { displayName = $"touched {number}" } }, V1Patch.PatchType.MergePatch);
        return Plane.Admin.CustomObjects.PatchClusterCustomObjectAsync<ClusterBaseModel>(touch, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, model.Name, cancellationToken: cancellationToken);
    }
}
