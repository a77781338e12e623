using k8s;
using k8s.Models;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>What an author's slip, and its correction, do to a hub model.</summary>
[Parallelizable]
public sealed class EditedModelTests
{
    [Test, CancelAfter(180_000)]
    public async Task Files_staged_before_the_spec_went_wrong_go_with_the_model(CancellationToken token)
    {
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.AddDirectory("demo/tiny", tree.Path);
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(options => options.HubEndpoint = hub.Endpoint, token);
        var (model, directory) = ("slip-" + node.NodeName, Path.Combine(node.ModelsRoot, "slip"));
        await node.ApplyClusterModelAsync(model, "hf://demo/tiny", directory, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);

        await PatchAsync(node, model, new { storageUri = "ftp://demo/tiny" }, token);
        await node.WaitForAsync(model, NodeModelState.Failed, token);
        Directory.Exists(directory).Should().BeTrue("a slip costs no files");
        await node.DeleteClusterModelAsync(model, token);
        await node.WaitForAsync(model, NodeModelState.Deleted, token);

        Directory.Exists(directory).Should().BeFalse();
    }

    /// <summary>Less time than the pause after the first failure, which is 30 s.</summary>
    [Test, CancelAfter(120_000)]
    public async Task A_corrected_spec_is_tried_without_waiting_for_the_next_try(CancellationToken token)
    {
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.GrantedTokens.Add("hf_granted");
        hub.AddDirectory("demo/gated", tree.Path);
        hub.Repository("demo/gated").Access = HubAccess.Gated;
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.Plane.Admin.CoreV1.CreateNamespacedSecretAsync(
            new V1Secret { Metadata = new V1ObjectMeta { Name = "right" }, StringData = new Dictionary<string, string> { ["token"] = "hf_granted" } }, node.Namespace, cancellationToken: token);
        await node.StartAsync(options => options.HubEndpoint = hub.Endpoint, token);
        var model = "gated-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "hf://demo/gated", Path.Combine(node.ModelsRoot, "gated"), token, secret: "wrong");
        await node.WaitForAsync(model, NodeModelState.Failed, token);

        await PatchAsync(node, model, new { key = "right" }, token);

        await node.WaitForAsync(model, NodeModelState.Ready, token);
    }

    private static Task PatchAsync(AgentFixture node, string model, object storage, CancellationToken token) =>
        node.Plane.Admin.CustomObjects.PatchClusterCustomObjectAsync<ClusterBaseModel>(
            new V1Patch(new { spec = new { storage } }, V1Patch.PatchType.MergePatch), OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, model, cancellationToken: token);
}
