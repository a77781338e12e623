using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Integrity;
using Ome.Agent.Publishing;
using Ome.Shared.Api;
using Ome.Shared.Domain.Models;
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

    [Test, CancelAfter(180_000)]
    public async Task A_check_that_is_due_reads_its_object_once_also_when_an_event_of_a_file_moved_it(CancellationToken token)
    {
        const int Rounds = 4;
        await using var plane = await ControlPlanes.StartAsync(token);
        var log = plane.RequireRequestLog();
        await using var node = await AgentFixture.CreateAsync(plane, token);
        await node.StartAsync(static options => (options.IntegrityInterval, options.Watch) = (TimeSpan.FromSeconds(4), false), token);
        var model = "model-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "local://" + node.WriteModel("model"), null, token);
        await node.WaitForCheckAsync(model, static check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        await MoreChecksAsync(node, await node.ChecksAsync(), token);
        while (node.Services.GetRequiredService<ReportPublisher>().Backlog > 0) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
        var integrity = node.Services.GetRequiredService<IntegrityService>();

        log.Clear();
        for (var round = 0; round < Rounds; round++)
        {
            // Well between two times that are due, as an event of a file would be.
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, token);
            await integrity.RunAsync(ModelKey.Cluster(model), CheckTrigger.Suspicion, token);
            await MoreChecksAsync(node, await node.ChecksAsync(), token);
        }

        // One each; on a machine that stands still an event may fall on a time that is due. It was two each.
        log.Last.Count(static request => request is { Verb: "get", Resource: ModelIntegrityCheck.Plural }).Should().BeInRange(1, Rounds + (Rounds / 2), "each due check reads its object, and nothing else does");
        log.Writes.Should().BeEmpty();
    }

    private static async Task MoreChecksAsync(AgentFixture node, double before, CancellationToken token)
    {
        while (await node.ChecksAsync() <= before) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
    }
}
