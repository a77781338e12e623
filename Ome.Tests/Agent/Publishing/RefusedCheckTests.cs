using k8s;
using k8s.Models;
using Ome.LocalCluster.Fakes;
using Ome.LocalCluster.Faults;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Agent.Host;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Publishing;

/// <summary>The third CRD is for people: nothing that schedules pods waits for it.</summary>
[Parallelizable]
public sealed class RefusedCheckTests
{
    [Test]
    [CancelAfter(180_000)]
    public async Task Refused_checks_hold_up_no_label_and_no_entry_and_are_written_once_they_may_be(CancellationToken token)
    {
        await using var plane = await ControlPlanes.StartAsync(token);
        var faults = plane.RequireFaults();
        await using var node = await AgentFixture.CreateAsync(plane, token);
        var directory = node.WriteModel("refused");
        var refusal = faults.Add(new FaultRule { Verb = "create", Resource = ModelIntegrityCheck.Plural, Code = 403 });
        await node.StartAsync(cancellationToken: token);

        await node.ApplyClusterModelAsync("refused", "local://" + directory, null, token);
        await node.WaitForAsync("refused", NodeModelState.Ready, token);
        var shard = Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First();
        File.Delete(shard);
        await node.WaitForAsync("refused", NodeModelState.Failed, token);
        refusal.Hits.Should().BePositive();
        (await node.CheckAsync("refused")).Should().BeNull();

        refusal.Dispose();
        var check = await node.WaitForCheckAsync("refused", found => found.Status.Result == "Invalid", token);
        check.Status.Reason.Should().Be("FileMissing");
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task The_files_of_a_removed_model_go_also_while_its_check_may_not_be_deleted(CancellationToken token)
    {
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.AddDirectory("demo/tiny", tree.Path);
        await using var plane = await ControlPlanes.StartAsync(token);
        await using var node = await AgentFixture.CreateAsync(plane, token);
        var directory = Path.Combine(node.ModelsRoot, "kept");
        await node.StartAsync(options => options.HubEndpoint = hub.Endpoint, token);
        await node.ApplyClusterModelAsync("kept", "hf://demo/tiny", directory, token);
        await node.WaitForCheckAsync("kept", static check => check.Status.Result == "Valid", token);
        await node.WaitForAsync("kept", NodeModelState.Ready, token);
        // As the operator's finalizer does: the object stays for as long as nodes have the files.
        var held = new V1Patch(new { metadata = new { finalizers = new[] { "ome.io/held-by-the-test" } } }, V1Patch.PatchType.MergePatch);
        await plane.Admin.CustomObjects.PatchClusterCustomObjectAsync<ClusterBaseModel>(held, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, "kept", cancellationToken: token);

        using (var refusal = plane.RequireFaults().Add(new FaultRule { Verb = "delete", Resource = ModelIntegrityCheck.Plural, Code = 403 }))
        {
            await node.DeleteClusterModelAsync("kept", token);
            await node.WaitForAsync("kept", NodeModelState.Deleted, token);
            Directory.Exists(directory).Should().BeFalse();
            while (refusal.Hits < 2) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
            (await node.CheckAsync("kept")).Should().NotBeNull();
        }

        while (await node.CheckAsync("kept") is not null) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
    }
}
