using k8s;
using k8s.Models;
using Ome.Agent.Staging;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>Deletion on the node: the rows of contract 10.5 that take a whole agent.</summary>
public sealed class DeletedModelTests
{
    [Test]
    [CancelAfter(180_000)]
    public async Task D12_deleting_stops_the_download_and_nothing_brings_label_or_entry_back(CancellationToken token)
    {
        await using var bed = await DeletionBed.CreateAsync(token);
        var node = bed.Node;
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Stall, HubFaultScope.Body, "model-00001-of-00002.safetensors", Times: 10, AfterBytes: 1000));
        await bed.ApplyAsync(token);
        await node.WaitForAsync(bed.Model, NodeModelState.Updating, token);
        while (!bed.Hub.Bodies.Any(body => body.Path.EndsWith("00001-of-00002.safetensors", StringComparison.Ordinal) && body.Sent > 0)) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, token);

        await node.DeleteClusterModelAsync(bed.Model, token);
        await node.WaitForAsync(bed.Model, NodeModelState.Deleted, token);

        Directory.EnumerateFileSystemEntries(Path.Combine(node.ModelsRoot, ".ome", "staging")).Should().BeEmpty("what it held is given back");
        // Another model goes all the way after it: whatever was under way for the first has ended.
        bed.Hub.Faults.Clear();
        await node.ApplyClusterModelAsync("next-" + node.NodeName, "hf://demo/tiny", Path.Combine(node.ModelsRoot, "next"), token);
        await node.WaitForAsync("next-" + node.NodeName, NodeModelState.Ready, token);
        (await node.LabelAsync(bed.Model)).Should().BeNull();
        (await node.EntryAsync(bed.Model)).Should().BeNull();
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task D13_a_model_that_was_deleted_while_the_agent_was_down_goes_when_it_starts(CancellationToken token)
    {
        await using var bed = await DeletionBed.CreateAsync(token);
        var node = bed.Node;
        await bed.ApplyAsync(token, finalizer: "test.ome.io/held");
        await node.WaitForAsync(bed.Model, NodeModelState.Ready, token);
        await node.StopAsync();
        await node.DeleteClusterModelAsync(bed.Model, token);

        await bed.StartAsync(token);
        await node.WaitForAsync(bed.Model, NodeModelState.Deleted, token);

        Directory.Exists(bed.Directory).Should().BeFalse();
        await bed.PatchAsync(new { metadata = new { finalizers = Array.Empty<string>() } }, token);
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task What_a_model_without_a_record_was_fetching_is_given_back_at_the_next_start(CancellationToken token)
    {
        await using var bed = await DeletionBed.CreateAsync(token);
        var node = bed.Node;
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Stall, HubFaultScope.Body, "model-00001-of-00002.safetensors", Times: 10, AfterBytes: 1000));
        await bed.ApplyAsync(token);
        while (!bed.Hub.Bodies.Any(body => body.Path.EndsWith("00001-of-00002.safetensors", StringComparison.Ordinal) && body.Sent > 0)) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, token);
        await node.StopAsync();
        var layout = new StagingLayout(node.ModelsRoot);
        var lost = layout.SideDirectory(Path.Combine(node.ModelsRoot, "lost"));
        Directory.CreateDirectory(lost);
        await File.WriteAllTextAsync(Path.Combine(lost, "000000.part"), "bytes", token);

        await bed.StartAsync(token);
        while (Directory.Exists(lost)) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, token);

        Directory.Exists(layout.SideDirectory(bed.Directory)).Should().BeTrue("its model is still wanted");
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task D14_a_model_that_no_longer_selects_the_node_leaves_it(CancellationToken token)
    {
        await using var bed = await DeletionBed.CreateAsync(token);
        var node = bed.Node;
        await bed.ApplyAsync(token);
        await node.WaitForAsync(bed.Model, NodeModelState.Ready, token);

        await bed.PatchAsync(new { spec = new { storage = new { nodeSelector = new Dictionary<string, string> { ["pool"] = "another" } } } }, token);
        await node.WaitForAsync(bed.Model, NodeModelState.Deleted, token);

        Directory.Exists(bed.Directory).Should().BeFalse();
    }

    /// <summary>A node, a hub, and one model of it.</summary>
    private sealed class DeletionBed(AgentFixture node, FakeHub hub, TempDirectory tree) : IAsyncDisposable
    {
        public AgentFixture Node { get; } = node;

        public FakeHub Hub { get; } = hub;

        public string Model { get; } = "deleted-" + node.NodeName;

        public string Directory { get; } = Path.Combine(node.ModelsRoot, "tiny");

        public static async Task<DeletionBed> CreateAsync(CancellationToken token)
        {
            var tree = new TempDirectory();
            ModelTree.Write(tree.Path);
            var hub = await FakeHub.StartAsync(cancellationToken: token);
            hub.AddDirectory("demo/tiny", tree.Path);
            var bed = new DeletionBed(await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token), hub, tree);
            await bed.StartAsync(token);
            return bed;
        }

        public Task StartAsync(CancellationToken token) => Node.StartAsync(options => options.HubEndpoint = Hub.Endpoint, token);

        /// <summary>For this node only: its labels are its own.</summary>
        public async Task ApplyAsync(CancellationToken token, string? finalizer = null)
        {
            await Node.Plane.Admin.CoreV1.PatchNodeAsync(
                new V1Patch(new { metadata = new { labels = new Dictionary<string, string> { ["own"] = Node.NodeName } } }, V1Patch.PatchType.MergePatch), Node.NodeName, cancellationToken: token);
            var storage = new ModelStorage { StorageUri = "hf://demo/tiny", Path = Directory, NodeSelector = new Dictionary<string, string>(StringComparer.Ordinal) { ["own"] = Node.NodeName } };
            await Node.Plane.Admin.CustomObjects.CreateClusterCustomObjectAsync<ClusterBaseModel>(
                new ClusterBaseModel { Metadata = new V1ObjectMeta { Name = Model, Finalizers = finalizer is null ? null : [finalizer] }, Spec = new BaseModelSpec { Storage = storage } },
                OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, cancellationToken: token);
        }

        public Task PatchAsync(object patch, CancellationToken token) => Node.Plane.Admin.CustomObjects.PatchClusterCustomObjectAsync<ClusterBaseModel>(
            new V1Patch(patch, V1Patch.PatchType.MergePatch), OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, Model, cancellationToken: token);

        public async ValueTask DisposeAsync()
        {
            await Node.DisposeAsync();
            await Hub.DisposeAsync();
            tree.Dispose();
        }
    }
}
