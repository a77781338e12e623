using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>
/// Beside OME: what our agent writes in each state is what OME's readers know, and a node that OME's agent served is taken over with its files, as far as
/// they prove good.
/// </summary>
[Parallelizable]
public sealed class OmeTakeoverTests
{
    [Test, CancelAfter(180_000)]
    public async Task Each_state_reads_as_OMEs_own_label_and_entry(CancellationToken token)
    {
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.AddDirectory("demo/tiny", tree.Path);
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(options => options.HubEndpoint = hub.Endpoint, token);
        var (model, directory) = ("states-" + node.NodeName, Path.Combine(node.ModelsRoot, "tiny"));

        hub.Faults.Add(new HubFault(HubFaultKind.Stall, HubFaultScope.Body, AfterBytes: 100, Times: 50));
        await node.ApplyClusterModelAsync(model, "hf://demo/tiny", directory, token);
        var updating = await EntryAsync(node, model, entry => entry["progress"] is not null, token);
        (await node.LabelAsync(model)).Should().Be("Updating");
        PathsOf(updating).Should().BeEquivalentTo(PathsOf(JsonNode.Parse(
            """{"name":"m","status":"Updating","progress":{"phase":"downloading","totalBytes":1,"completedBytes":1,"totalFiles":1,"completedFiles":1,"speedBytesPerSec":1.5,"lastUpdated":"2026-05-06T12:00:00Z"}}""")));
        ((string?)updating["name"], (string?)updating["status"]).Should().Be((model, "Updating"));

        // A change of the model ends the stalled staging; the next finds the hub well again.
        hub.Faults.Clear();
        await node.DeleteClusterModelAsync(model, token);
        await node.WaitForAsync(model, NodeModelState.Deleted, token);
        (await RawEntryAsync(node, model)).Should().BeNull("a deleted model's key is gone, as OME does it");

        await node.ApplyClusterModelAsync(model, "hf://demo/tiny", directory, token);
        var ready = await EntryAsync(node, model, entry => (string?)entry["status"] == "Ready", token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        var example = JsonNode.Parse(Example("Ready, downloaded by itself"))!.AsObject();
        example["name"] = model;
        foreach (var (member, value) in new (string, JsonNode?)[] { ("sha", hub.Repository("demo/tiny").Head), ("parentPath", new JsonObject { ["clusterbasemodel." + model] = directory }) })
        {
            example["config"]!["artifact"]![member] = value;
        }

        // The example is of another llama: what is counted differs, what it is called and what kind of value it has does not.
        PathsOf(ready).Should().BeEquivalentTo(PathsOf(example));
        foreach (var same in new[] { "name", "status", "config.modelType", "config.modelArchitecture", "config.modelFramework.name", "config.modelFormat", "config.modelCapabilities", "config.artifact" })
        {
            JsonNode.DeepEquals(At(ready, same), At(example, same)).Should().BeTrue("{0} is {1}, OME's is {2}", same, At(ready, same), At(example, same));
        }

        File.Delete(Directory.GetFiles(directory, "*.safetensors").First());
        await node.WaitForAsync(model, NodeModelState.Failed, token);
        var failed = (await RawEntryAsync(node, model))!;
        ((string?)failed["status"]).Should().Be("Failed");
        failed.ContainsKey("progress").Should().BeFalse();
        JsonNode.DeepEquals(failed["config"], ready["config"]).Should().BeTrue("config outlives a change of state (E03)");
    }

    [Test, CancelAfter(180_000)]
    public async Task A_local_models_artifact_is_blank_as_OME_writes_it(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(cancellationToken: token);
        var model = "blank-" + node.NodeName;

        await node.ApplyClusterModelAsync(model, "local://" + node.WriteModel("local"), null, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);

        (await RawEntryAsync(node, model))!["config"]!["artifact"]!.ToJsonString().Should().Be("""{"sha":"","parentPath":null,"childrenPaths":null}""");
    }

    [Test, CancelAfter(180_000)]
    public async Task Files_that_prove_good_are_taken_over_and_stay_Ready(CancellationToken token)
    {
        await using var bed = await TakeoverBed.CreateAsync(token);
        await using var labels = new LabelHistory(bed.Node.Plane.Admin, bed.Node.NodeName, bed.Model);

        await bed.Node.StartAsync(options => options.HubEndpoint = bed.Hub.Endpoint, token);
        var check = await bed.Node.WaitForCheckAsync(bed.Model, found => found.Status.Result == "Valid", token);

        check.Status.Trust.Should().Be("upstream");
        bed.Hub.BodyBytesSent.Should().Be(0, "nothing is fetched that is there and proves good");
        (await labels.TakeUntilAsync("Ready", token)).Should().Equal("Ready");
        var entry = (await bed.Node.EntryAsync(bed.Model))!;
        entry.Config!.Artifact.ChildrenPaths.Should().Equal(["/mnt/models/child"], "who shares the files is not forgotten");
        var data = (await bed.Node.Plane.Admin.CoreV1.ReadNamespacedConfigMapAsync(bed.Node.NodeName, bed.Node.Namespace, cancellationToken: token)).Data;
        data["not-a-model"].Should().Be("left alone");
    }

    [Test, CancelAfter(180_000)]
    public async Task A_file_that_does_not_prove_good_is_fetched_and_only_that(CancellationToken token)
    {
        await using var bed = await TakeoverBed.CreateAsync(token);
        var shard = Directory.GetFiles(bed.Directory, "*.safetensors").Order(StringComparer.Ordinal).First();
        var good = TestFiles.Bytes(shard);
        await File.WriteAllBytesAsync(shard, [.. good[..^1], (byte)(good[^1] ^ 1)], token);
        await using var labels = new LabelHistory(bed.Node.Plane.Admin, bed.Node.NodeName, bed.Model);
        await labels.TakeUntilAsync("Ready", token);

        await bed.Node.StartAsync(options => options.HubEndpoint = bed.Hub.Endpoint, token);
        await bed.Node.WaitForCheckAsync(bed.Model, found => found.Status.Result == "Valid", token);

        (await labels.TakeUntilAsync("Ready", token)).Should().Equal("Ready", "Updating", "Ready");
        bed.Hub.BodyBytesSent.Should().Be(good.Length);
        TestFiles.Bytes(shard).AsSpan().SequenceEqual(good).Should().BeTrue();
    }

    [Test, CancelAfter(180_000)]
    public async Task A_takeover_that_was_killed_halfway_goes_on_without_a_word_of_Updating(CancellationToken token)
    {
        await using var bed = await TakeoverBed.CreateAsync(token);
        await using var labels = new LabelHistory(bed.Node.Plane.Admin, bed.Node.NodeName, bed.Model);
        await labels.TakeUntilAsync("Ready", token);
        // The hub answers nothing: the first agent dies while it asks what the files should be.
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Stall, HubFaultScope.Api, Times: 100));
        await using (var first = AgentProcess.Start(bed.Node, arguments: ["--hf-endpoint", bed.Hub.Endpoint, "--log-level", "warn"]))
        {
            while (!Directory.EnumerateFiles(Directory.CreateDirectory(Path.Combine(bed.Node.ModelsRoot, ".ome")).FullName, "record.json", SearchOption.AllDirectories).Any())
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, token);
            }
        }

        bed.Hub.Faults.Clear();
        await bed.Node.StartAsync(options => options.HubEndpoint = bed.Hub.Endpoint, token);
        await bed.Node.WaitForCheckAsync(bed.Model, found => found.Status.Result == "Valid", token);

        (await labels.TakeUntilAsync("Ready", token)).Should().Equal("Ready");
        bed.Hub.BodyBytesSent.Should().Be(0);
    }

    [Test, CancelAfter(180_000)]
    public async Task A_hub_that_is_away_during_the_takeover_fails_no_node(CancellationToken token)
    {
        await using var bed = await TakeoverBed.CreateAsync(token);
        await using var labels = new LabelHistory(bed.Node.Plane.Admin, bed.Node.NodeName, bed.Model);
        await labels.TakeUntilAsync("Ready", token);
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Status, Times: 1000, Status: 503));
        await using (var agent = AgentProcess.Start(bed.Node, arguments: ["--hf-endpoint", bed.Hub.Endpoint, "--log-level", "warn"]))
        {
            await agent.UntilLogAsync(line => line.Contains("could not be proven yet", StringComparison.Ordinal), token);
        }

        bed.Hub.Faults.Clear();
        await bed.Node.StartAsync(options => options.HubEndpoint = bed.Hub.Endpoint, token);
        await bed.Node.WaitForCheckAsync(bed.Model, found => found.Status.Result == "Valid", token);

        (await labels.TakeUntilAsync("Ready", token)).Should().Equal("Ready");
    }

    private static async Task<JsonObject> EntryAsync(AgentFixture node, string model, Func<JsonObject, bool> holds, CancellationToken token)
    {
        while (true)
        {
            if (await RawEntryAsync(node, model) is { } entry && holds(entry)) return entry;
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, token);
        }
    }

    /// <summary>The entry as text parsed, without the members that are ours alone (design 6).</summary>
    private static async Task<JsonObject?> RawEntryAsync(AgentFixture node, string model)
    {
        var maps = await node.Plane.Admin.CoreV1.ListNamespacedConfigMapAsync(node.Namespace, fieldSelector: "metadata.name=" + node.NodeName);
        if (maps.Items.FirstOrDefault()?.Data is not { } data || !data.TryGetValue(ModelKey.Cluster(model).DataKey, out var text)) return null;
        var entry = JsonNode.Parse(text)!.AsObject();
        foreach (var additive in new[] { "storageUri", "storagePath", "validation" }) entry.Remove(additive);
        return entry;
    }

    private static string Example(string name) =>
        ((JsonElement)CaseTable.Rows("contract/entries.json").Select(row => row.Arguments[0]!).Single(row => ((JsonElement)row).TryGetProperty("case", out var about) && about.GetString() == name)).GetProperty("entry").GetString()!;

    /// <summary>Every member by its path and the kind of its value; keys of the map from model to path are values.</summary>
    private static IEnumerable<string> PathsOf(JsonNode? node, string path = "") => node is JsonObject members && !path.EndsWith(".parentPath", StringComparison.Ordinal)
        ? members.SelectMany(member => PathsOf(member.Value, path + "." + member.Key))
        : [$"{path}: {node?.GetValueKind()}"];

    private static JsonNode? At(JsonNode node, string path) => path.Split('.').Aggregate<string, JsonNode?>(node, static (at, member) => at?[member]);

    /// <summary>A node as OME's agent leaves it: files under the model's path, its label and its entry (contract 3.3), no state of ours.</summary>
    private sealed class TakeoverBed : IAsyncDisposable
    {
        private readonly TempDirectory _tree = new();

        private TakeoverBed(FakeHub hub, AgentFixture node) => (Hub, Node) = (hub, node);

        public FakeHub Hub { get; }

        public AgentFixture Node { get; }

        public string Model => "meta-" + Node.NodeName;

        public string Directory => Path.Combine(Node.ModelsRoot, "meta");

        public static async Task<TakeoverBed> CreateAsync(CancellationToken token)
        {
            var bed = new TakeoverBed(await FakeHub.StartAsync(cancellationToken: token), await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token));
            // Large enough that proving it takes longer than a report: a word said meanwhile would be seen.
            var options = new ModelTreeOptions(TotalBytes: 40_000_000);
            ModelTree.Write(bed._tree.Path, options);
            ModelTree.Write(bed.Directory, options);
            bed.Hub.AddDirectory("demo/meta", bed._tree.Path);
            await bed.WriteAsOmeAsync(token);
            await bed.Node.ApplyClusterModelAsync(bed.Model, "hf://demo/meta", bed.Directory, token);
            return bed;
        }

        public async ValueTask DisposeAsync()
        {
            await Node.DisposeAsync();
            await Hub.DisposeAsync();
            _tree.Dispose();
        }

        private async Task WriteAsOmeAsync(CancellationToken token)
        {
            var key = ModelKey.Cluster(Model);
            var entry = JsonNode.Parse(Example("Ready, downloaded by itself"))!.AsObject();
            entry["name"] = Model;
            entry["config"]!["artifact"] = new JsonObject
            {
                ["sha"] = Hub.Repository("demo/meta").Head,
                ["parentPath"] = new JsonObject { [key.DataKey] = Directory },
                ["childrenPaths"] = new JsonArray("/mnt/models/child"),
            };
            await Node.Plane.Admin.CoreV1.CreateNamespacedConfigMapAsync(
                new V1ConfigMap
                {
                    Metadata = new V1ObjectMeta
                    {
                        Name = Node.NodeName,
                        Labels = new Dictionary<string, string> { ["models.ome/basemodel-status"] = "true", ["node"] = Node.NodeName },
                        Annotations = new Dictionary<string, string> { ["models.ome.io/node-name"] = Node.NodeName, ["models.ome.io/managed-by"] = "model-agent" },
                    },
                    Data = new Dictionary<string, string> { [key.DataKey] = entry.ToJsonString(), ["not-a-model"] = "left alone" },
                },
                Node.Namespace, cancellationToken: token);
            var label = new V1Patch(new { metadata = new { labels = new Dictionary<string, string> { [key.LabelKey] = "Ready" } } }, V1Patch.PatchType.MergePatch);
            await Node.Plane.Admin.CoreV1.PatchNodeAsync(label, Node.NodeName, cancellationToken: token);
        }
    }
}
