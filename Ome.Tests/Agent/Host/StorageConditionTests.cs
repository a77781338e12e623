using k8s;
using k8s.Models;
using Ome.Agent.Publishing;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>A bad disk is said on the Node: by a condition beside the kubelet's, and by an Event when it changes.</summary>
public sealed class StorageConditionTests
{
    [Test]
    [CancelAfter(180_000)]
    public async Task Two_damaged_models_on_one_device_degrade_the_node_until_one_is_whole_again(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await KubeletSaysReadyAsync(node, token);
        var (one, two) = ("disk-a-" + node.NodeName, "disk-b-" + node.NodeName);
        var (first, second) = (Shard(node.WriteModel("one")), Shard(node.WriteModel("two")));
        await node.StartAsync(cancellationToken: token);
        await node.ApplyClusterModelAsync(one, "local://" + Path.GetDirectoryName(first), null, token);
        await node.ApplyClusterModelAsync(two, "local://" + Path.GetDirectoryName(second), null, token);
        foreach (var model in new[] { one, two }) await node.WaitForCheckAsync(model, check => check.Status.OldestProofTime is not null, token);
        (await ConditionAsync(node, condition => condition.Status == "False", token)).Reason.Should().Be("NoDamageKnown");

        File.Move(first, node.ModelsRoot + "/a");
        await node.WaitForAsync(one, NodeModelState.Failed, token);
        (await ConditionAsync(node, _ => true, token)).Status.Should().Be("False", "one damaged model says nothing of a disk");
        File.Move(second, node.ModelsRoot + "/b");
        var degraded = await ConditionAsync(node, condition => condition.Status == "True", token);
        degraded.Reason.Should().Be("SeveralModelsDamaged");
        degraded.Message.Should().Contain(one).And.Contain(two);
        (await EventAsync(node, NodeConditionSink.Type, token)).Type.Should().Be("Warning");

        await node.StopAsync();
        await node.StartAsync(cancellationToken: token);
        await node.WaitForAsync(one, NodeModelState.Failed, token);
        var after = await ConditionAsync(node, _ => true, token);
        after.LastHeartbeatTime.Should().Be(degraded.LastHeartbeatTime, "a restart knows what the node says already and writes nothing");

        File.Move(node.ModelsRoot + "/a", first);
        var mended = await ConditionAsync(node, condition => condition.Status == "False", token);
        mended.LastTransitionTime.Should().NotBeBefore(degraded.LastTransitionTime!.Value);
        await EventAsync(node, "ModelStorageRecovered", token);
        (await node.Plane.Admin.CoreV1.ReadNodeAsync(node.NodeName, cancellationToken: token)).Status.Conditions.Should().ContainSingle(condition => condition.Type == "Ready");
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task A_condition_that_somebody_removed_is_said_again(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(cancellationToken: token);
        await ConditionAsync(node, condition => condition.Status == "False", token);

        var removal = new V1Patch("""{"status":{"conditions":[{"type":"ModelStorageDegraded","$patch":"delete"}]}}""", V1Patch.PatchType.StrategicMergePatch);
        var before = (await node.Plane.Admin.CoreV1.PatchNodeStatusAsync(removal, node.NodeName, cancellationToken: token)).Metadata.ResourceVersion;

        await ConditionAsync(node, condition => condition.Status == "False", token);
        (await node.Plane.Admin.CoreV1.ReadNodeAsync(node.NodeName, cancellationToken: token)).Metadata.ResourceVersion.Should().NotBe(before);
    }

    private static string Shard(string directory) => Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First();

    private static async Task KubeletSaysReadyAsync(AgentFixture node, CancellationToken cancellationToken) => await node.Plane.Admin.CoreV1.PatchNodeStatusAsync(
        new V1Patch("""{"status":{"conditions":[{"type":"Ready","status":"True","reason":"KubeletReady"}]}}""", V1Patch.PatchType.StrategicMergePatch), node.NodeName, cancellationToken: cancellationToken);

    private static async Task<V1NodeCondition> ConditionAsync(AgentFixture node, Func<V1NodeCondition, bool> holds, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await node.Plane.Admin.CoreV1.ReadNodeAsync(node.NodeName, cancellationToken: cancellationToken);
            if (read.Status?.Conditions?.FirstOrDefault(condition => condition.Type == NodeConditionSink.Type) is { } found && holds(found)) return found;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }

    private static async Task<Corev1Event> EventAsync(AgentFixture node, string reason, CancellationToken cancellationToken)
    {
        while (true)
        {
            var events = await node.Plane.Admin.CoreV1.ListEventForAllNamespacesAsync(fieldSelector: "involvedObject.name=" + node.NodeName, cancellationToken: cancellationToken);
            if (events.Items.FirstOrDefault(found => found.Reason == reason) is { } said) return said;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }
}
