using System.Diagnostics;
using Ome.LocalCluster.Faults;
using Ome.Operator;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Operator;

/// <summary>Two replicas as processes: the leader is killed without warning or cannot renew, the other takes over, and each change is written once.</summary>
[Parallelizable]
public sealed class LeaderTests : FaultFixture
{
    private static readonly TimeSpan TakeoverLimit = TimeSpan.FromSeconds(15);

    // The first one leads.
    private readonly List<OperatorProcess> _replicas = [];

    [SetUp]
    public async Task StopInProcessAsync()
    {
        if (Operator is not null) await StopOperatorAsync(Operator);
        Operator = null;
    }

    [TearDown]
    public async Task EndAsync()
    {
        foreach (var process in _replicas) await process.DisposeAsync();
        _replicas.Clear();
    }

    [Test, CancelAfter(120_000)]
    public Task A_leader_that_is_killed_is_replaced(CancellationToken cancellationToken) => KillLeadersAsync(kills: 1, cancellationToken);

    [Test, Category("Campaign"), CancelAfter(900_000)]
    public Task Ten_leaders_in_a_row_are_replaced(CancellationToken cancellationToken) => KillLeadersAsync(kills: 10, cancellationToken);

    [Test, CancelAfter(120_000)]
    public Task A_leader_that_cannot_renew_steps_down_and_no_change_is_written_twice(CancellationToken cancellationToken) => FlapAsync(flaps: 2, cancellationToken);

    [Test, Category("Campaign"), CancelAfter(900_000)]
    public Task Leadership_that_flaps_thirty_times_writes_no_change_twice(CancellationToken cancellationToken) => FlapAsync(flaps: 30, cancellationToken);

    private async Task KillLeadersAsync(int kills, CancellationToken cancellationToken)
    {
        var log = Plane.RequireRequestLog();
        var lease = new OperatorOptions().LeaderLease;
        await StartTwoAsync(lease, cancellationToken);
        await FillAsync(cancellationToken);
        var (random, node, model) = (new Random(21), await NodeAsync(cancellationToken), await ModelAsync(cancellationToken));
        await ShowAsync(node, model, ready: true, cancellationToken);
        for (var kill = 0; kill < kills; kill++)
        {
            log.Clear();
            await _replicas[0].DisposeAsync();
            _replicas.RemoveAt(0);
            var killed = Stopwatch.GetTimestamp();
            await ChangeAsync(random, cancellationToken);
            await ShowAsync(node, model, ready: kill % 2 != 0, cancellationToken);

            var takeover = Stopwatch.GetElapsedTime(killed);
            TestContext.Out.WriteLine($"takeover {kill + 1}: {takeover.TotalSeconds:F1} s from SIGKILL to the change in the status");
            takeover.Should().BeLessThan(TakeoverLimit);
            StatusWrites(log, model).Should().Be(1, "one change is one write");
            _replicas.Add(OperatorProcess.Start(Plane, Namespace, lease));
            await _replicas[1].UntilReadyAsync(cancellationToken);
        }

        await ConvergedAsync(cancellationToken);
    }

    /// <summary>Nobody can renew or take the lease for a while; changes of that time are written once, by whoever leads next.</summary>
    private async Task FlapAsync(int flaps, CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        var log = Plane.RequireRequestLog();
        await StartTwoAsync(TimeSpan.FromSeconds(3), cancellationToken);
        await FillAsync(cancellationToken);
        var (random, node, model) = (new Random(22), await NodeAsync(cancellationToken), await ModelAsync(cancellationToken));
        await ShowAsync(node, model, ready: true, cancellationToken);
        for (var flap = 0; flap < flaps; flap++)
        {
            log.Clear();
            using (faults.Add(new() { Resource = "leases", Verb = "update", Code = 500 }))
            {
                foreach (var replica in _replicas) await replica.UntilLeadsAsync(false, cancellationToken);
                await ChangeAsync(random, cancellationToken);
                await ReportAsync(node, model, State(flap % 2 != 0), cancellationToken);
                StatusWrites(log, model).Should().Be(0, "who does not lead does not write");
            }

            await ShowAsync(node, model, ready: flap % 2 != 0, cancellationToken);
            StatusWrites(log, model).Should().Be(1, "one change is one write");
        }

        await ConvergedAsync(cancellationToken);
    }

    private async Task StartTwoAsync(TimeSpan lease, CancellationToken cancellationToken)
    {
        _replicas.Add(OperatorProcess.Start(Plane, Namespace, lease));
        await _replicas[0].UntilLeadsAsync(true, cancellationToken);
        _replicas.Add(OperatorProcess.Start(Plane, Namespace, lease));
        await _replicas[1].UntilReadyAsync(cancellationToken);
    }

    private async Task ShowAsync(string node, ModelKey model, bool ready, CancellationToken cancellationToken)
    {
        await ReportAsync(node, model, State(ready), cancellationToken);
        await UntilAsync(model, found => found.Status?.State == (ready ? "Ready" : "Failed"), cancellationToken);
    }

    private static NodeModelState State(bool ready) => ready ? NodeModelState.Ready : NodeModelState.Failed;

    private static int StatusWrites(RequestLog log, ModelKey model) => log.Writes.Count(write => write.Subresource == "status" && write.Name == model.Name);
}
