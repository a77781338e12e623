using k8s;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Ome.Agent.Models;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>Rows A15 and A16 of contract 10.4 as an author meets them: the download policy of a Ready model changes.</summary>
[Parallelizable]
public sealed class DownloadPolicyTests
{
    [Test, CancelAfter(180_000)]
    public async Task A15_A16_own_files_become_a_link_and_own_files_again_and_the_model_is_ready_throughout(CancellationToken token)
    {
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.AddDirectory("demo/tiny", tree.Path);
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(options => options.HubEndpoint = hub.Endpoint, token);
        var (parent, child) = ("p-" + node.NodeName, "c-" + node.NodeName);
        var (parentPlace, childPlace) = (Path.Combine(node.ModelsRoot, "p"), Path.Combine(node.ModelsRoot, "c"));
        await node.ApplyClusterModelAsync(parent, "hf://demo/tiny", parentPlace, token);
        await node.WaitForAsync(parent, NodeModelState.Ready, token);
        await node.ApplyClusterModelAsync(child, "hf://demo/tiny", childPlace, token);
        await node.WaitForAsync(child, NodeModelState.Ready, token);
        new FileInfo(childPlace).LinkTarget.Should().BeNull();
        await using var history = new LabelHistory(node.Plane.Admin, node.NodeName, child);
        await history.TakeUntilAsync("Ready", token);

        await SetPolicyAsync(node, child, "ReuseIfExists", token);
        await WaitForParentAsync(node, child, parent, token);
        new FileInfo(childPlace).LinkTarget.Should().Be("p");
        (await node.EntryAsync(parent))!.Config!.Artifact.ChildrenPaths.Should().Equal(childPlace);

        await SetPolicyAsync(node, child, "AlwaysDownload", token);
        await WaitForParentAsync(node, child, child, token);
        new FileInfo(childPlace).LinkTarget.Should().BeNull();
        (await node.EntryAsync(parent))!.Config!.Artifact.ChildrenPaths.Should().BeEmpty();
        TestFiles.Tree(childPlace).Should().BeEquivalentTo(TestFiles.Tree(tree.Path));
        await node.WaitForCheckAsync(child, check => check.Status.Result == "Valid", token);

        (await history.TakeUntilAsync("Ready", token)).Should().Equal("Ready");
    }

    [Test, CancelAfter(180_000)]
    public async Task A15_what_cannot_be_done_now_is_said_and_changes_nothing(CancellationToken token)
    {
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.AddDirectory("demo/tiny", tree.Path);
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(options => options.HubEndpoint = hub.Endpoint, token);
        var (parent, child) = ("p-" + node.NodeName, "c-" + node.NodeName);
        await node.ApplyClusterModelAsync(parent, "hf://demo/tiny", Path.Combine(node.ModelsRoot, "p"), token);
        await node.WaitForAsync(parent, NodeModelState.Ready, token);
        await node.ApplyClusterModelAsync(child, "hf://demo/tiny", Path.Combine(node.ModelsRoot, "c"), token);
        await node.WaitForAsync(child, NodeModelState.Ready, token);
        await SetPolicyAsync(node, child, "ReuseIfExists", token);
        await WaitForParentAsync(node, child, parent, token);
        hub.Faults.Add(new HubFault(HubFaultKind.Status, Times: int.MaxValue, Status: 404));

        await SetPolicyAsync(node, child, "AlwaysDownload", token);
        while ((await node.EventsAsync(child)).All(one => one.Reason != "DownloadPolicyPending")) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, token);

        (await node.LabelAsync(child)).Should().Be("Ready");
        new FileInfo(Path.Combine(node.ModelsRoot, "c")).LinkTarget.Should().Be("p");
    }

    [Test, CancelAfter(180_000)]
    public async Task A_record_of_an_agent_that_did_not_keep_the_policy_takes_the_present_one(CancellationToken token)
    {
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.AddDirectory("demo/tiny", tree.Path);
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(options => options.HubEndpoint = hub.Endpoint, token);
        var model = "old-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "hf://demo/tiny", Path.Combine(node.ModelsRoot, "old"), token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.StopAsync();
        var kept = new ModelRecordStore(Path.Combine(node.ModelsRoot, ".ome"), NullLogger<ModelRecordStore>.Instance);
        kept.Save(kept.Find(ModelKey.Cluster(model))! with { Policy = null });
        var asked = hub.Requests.Count;

        await node.StartAsync(options => options.HubEndpoint = hub.Endpoint, token);
        var records = node.Services.GetRequiredService<ModelRecordStore>();
        while (records.Find(ModelKey.Cluster(model))?.Policy is null) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);

        hub.Requests.Should().HaveCount(asked);
        (await node.LabelAsync(model)).Should().Be("Ready");
    }

    private static async Task WaitForParentAsync(AgentFixture node, string model, string parent, CancellationToken token)
    {
        var key = ModelKey.Cluster(parent).DataKey;
        while ((await node.EntryAsync(model))?.Config?.Artifact.ParentPath?.ContainsKey(key) != true) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
    }

    private static Task SetPolicyAsync(AgentFixture node, string model, string policy, CancellationToken token) =>
        node.Plane.Admin.CustomObjects.PatchClusterCustomObjectAsync<ClusterBaseModel>(
            new V1Patch(new { spec = new { storage = new { downloadPolicy = policy } } }, V1Patch.PatchType.MergePatch), OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, model,
            cancellationToken: token);
}
