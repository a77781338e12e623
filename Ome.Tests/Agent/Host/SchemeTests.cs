using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>The sources that nothing is fetched from, through the whole agent: what the entry says of them, and that deleting the model touches no file.</summary>
public sealed class SchemeTests
{
    [TestCase("vendor://vendor/type/path", NodeModelState.Ready, "ManifestMissing", "no file of theirs lies on the node")]
    [TestCase("gs://bucket/object", NodeModelState.Failed, "Refused", "gs://")]
    [TestCase("az://account/container/blob", NodeModelState.Failed, "Refused", "az://")]
    [TestCase("github://owner/repository", NodeModelState.Failed, "Refused", "github://")]
    [TestCase("ftp://nowhere/x", NodeModelState.Failed, "InvalidSpec", "unknown storage type")]
    [TestCase("hf://", NodeModelState.Failed, "InvalidSpec", "missing model ID")]
    [CancelAfter(180_000)]
    public async Task D11_D16_W13_it_is_told_at_once_why_nothing_is_fetched_and_deleting_touches_no_file(
        string uri, NodeModelState state, string reason, string says, CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(cancellationToken: token);
        var directory = node.WriteModel("somebody-elses");
        var model = "scheme-" + node.NodeName;

        await node.ApplyClusterModelAsync(model, uri, directory, token);
        await node.WaitForAsync(model, state, token);

        var told = (await node.EntryAsync(model))!.Validation!;
        told.Result.Should().Be("Inconclusive");
        told.Reason.Should().Be(reason);
        told.Message.Should().Contain(says);
        await node.DeleteClusterModelAsync(model, token);
        await node.WaitForAsync(model, NodeModelState.Deleted, token);
        (await node.EntryAsync(model)).Should().BeNull();
        File.Exists(Path.Combine(directory, "config.json")).Should().BeTrue();
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task D11_a_claim_is_its_pods_affair_and_the_node_says_nothing_of_it(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(cancellationToken: token);
        var (claim, local) = ("claim-" + node.NodeName, "local-" + node.NodeName);
        var directory = node.WriteModel("claimed");

        await node.ApplyClusterModelAsync(claim, "pvc://claim/path", directory, token);
        await node.ApplyClusterModelAsync(local, "local://" + directory, null, token);

        // The later of the two was worked on.
        await node.WaitForAsync(local, NodeModelState.Ready, token);
        (await node.LabelAsync(claim)).Should().BeNull();
        (await node.EntryAsync(claim)).Should().BeNull();
        await node.DeleteClusterModelAsync(claim, token);
        await node.DeleteClusterModelAsync(local, token);
        await node.WaitForAsync(local, NodeModelState.Deleted, token);
        File.Exists(Path.Combine(directory, "config.json")).Should().BeTrue();
    }
}
