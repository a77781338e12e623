using Microsoft.Extensions.DependencyInjection;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>What nobody waits for costs nothing: an agent with nothing to do sleeps.</summary>
[Parallelizable]
public sealed class QuietAgentTests
{
    [Test, CancelAfter(180_000)]
    public async Task An_agent_with_nothing_to_do_has_no_timer_that_rings_within_seconds(CancellationToken token)
    {
        // Of its own: others' models would wake it.
        await using var plane = await ControlPlanes.StartAsync(token);
        await using var node = await AgentFixture.CreateAsync(plane, token);
        var time = new ArmedTimers();
        await node.StartAsync(null, services => services.AddSingleton<TimeProvider>(time), token);
        var model = "model-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "local://" + node.WriteModel("model"), null, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(model, static check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);

        // Threads of the reading engine end, with their watchdog, some seconds after the last file.
        while (time.Waits is var waits && (waits.Count == 0 || waits.Min() < TimeSpan.FromSeconds(10))) await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, token);
    }
}
