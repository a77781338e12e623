using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Models;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>A model of the hub through the whole circle: staged, damaged in ways a stat does not show, readmitted, deleted.</summary>
public sealed class HubModelTests
{
    [Test]
    [CancelAfter(180_000)]
    public async Task A_hub_model_is_staged_withdrawn_on_rot_under_a_restored_mtime_and_its_files_go_with_it(CancellationToken token)
    {
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        var tree = Directory.CreateTempSubdirectory("ome-tree-");
        ModelTree.Write(tree.FullName);
        hub.AddDirectory("demo/tiny", tree.FullName);
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(options => options.HubEndpoint = hub.Endpoint, token);
        var model = "hub-" + node.NodeName;
        var directory = Path.Combine(node.ModelsRoot, "tiny");

        await node.ApplyClusterModelAsync(model, "hf://demo/tiny", directory, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        var ready = await node.EntryAsync(model);
        ready!.Config!.ModelType.Should().Be("llama");
        ready.Config.Artifact.Sha.Should().Be(hub.Repository("demo/tiny").Head);
        (await node.WaitForCheckAsync(model, check => check.Status.Result == "Valid", token)).Status.Trust.Should().Be("upstream");

        var shard = Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First();
        var good = await File.ReadAllBytesAsync(shard, token);
        var mtime = File.GetLastWriteTimeUtc(shard);
        var bad = (byte[])good.Clone();
        bad[^1] ^= 0x40;
        await File.WriteAllBytesAsync(shard, bad, token);
        File.SetLastWriteTimeUtc(shard, mtime);
        await node.WaitForAsync(model, NodeModelState.Failed, token);
        (await node.EntryAsync(model))!.Validation!.Reason.Should().Be("DigestMismatch");

        await File.WriteAllBytesAsync(shard, good, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);

        await node.DeleteClusterModelAsync(model, token);
        await node.WaitForAsync(model, NodeModelState.Deleted, token);
        Directory.Exists(directory).Should().BeFalse();
        tree.Delete(recursive: true);
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task The_same_failure_again_is_no_event_again(CancellationToken token)
    {
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.Faults.Add(new HubFault(HubFaultKind.Status, HubFaultScope.Any, Times: 1000, Status: 429, RetryAfterSeconds: 1));
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(options => options.HubEndpoint = hub.Endpoint, token);
        var model = "limited-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "hf://demo/tiny", Path.Combine(node.ModelsRoot, "tiny"), token);

        var records = node.Services.GetRequiredService<ModelRecordStore>();
        while (records.Find(ModelKey.Cluster(model)) is not { Attempts: >= 3 }) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);

        (await node.EventsAsync(model)).Should().ContainSingle(one => one.Reason == "ModelFailed").Which.Count.Should().Be(1);
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task A_restart_keeps_a_proven_model_ready(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var directory = node.WriteModel("kept");
        var model = "kept-" + node.NodeName;
        await node.StartAsync(cancellationToken: token);
        await node.ApplyClusterModelAsync(model, "local://" + directory, null, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(model, check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        await node.StopAsync();

        await node.StartAsync(cancellationToken: token);
        var another = node.WriteModel("other");
        await node.ApplyClusterModelAsync("other-" + node.NodeName, "local://" + another, null, token);
        await node.WaitForAsync("other-" + node.NodeName, NodeModelState.Ready, token);

        (await node.LabelAsync(model)).Should().Be("Ready");

        (await node.EntryAsync(model))!.Status.Should().Be("Ready");
    }

    [TestCase("ftp://nowhere/x", "unknown storage type")]
    [TestCase("local:///etc", "outside the models root")]
    [TestCase("gs://bucket/x", "gs://")]
    [CancelAfter(180_000)]
    public async Task A_wrong_source_fails_alone_with_its_reason_and_can_be_deleted(string uri, string reason, CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(cancellationToken: token);
        var model = "wrong-" + node.NodeName;

        await node.ApplyClusterModelAsync(model, uri, uri.StartsWith("local", StringComparison.Ordinal) ? null : Path.Combine(node.ModelsRoot, "x"), token);
        await node.WaitForAsync(model, NodeModelState.Failed, token);
        (await node.EntryAsync(model))!.Validation!.Message.Should().Contain(reason);

        await node.DeleteClusterModelAsync(model, token);
        await node.WaitForAsync(model, NodeModelState.Deleted, token);
    }
}
