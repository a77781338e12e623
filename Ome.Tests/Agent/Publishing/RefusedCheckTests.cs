using Ome.LocalCluster.Faults;
using Ome.Shared.Api;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Agent.Host;
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
}
