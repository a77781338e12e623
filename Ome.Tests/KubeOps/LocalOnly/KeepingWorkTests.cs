using KubeOps.Abstractions.Builder;
using Ome.LocalCluster.Faults;
using Ome.Tests.KubeOpsApi.Support;
using Ome.Tests.Support.ControlPlanes;
using Result = KubeOps.Abstractions.Reconciliation.ReconciliationResult<Ome.Tests.KubeOpsApi.Support.Widget>;

namespace Ome.Tests.KubeOpsApi.LocalOnly;

/// <summary>Work the packages' in-memory queue may lose, and ours keeps.</summary>
public sealed class KeepingWorkTests : WidgetFixture
{
    [Test, CancelAfter(Limit)]
    public async Task No_number_of_failures_in_a_row_is_the_last(CancellationToken cancellationToken)
    {
        var log = new WidgetLog();
        log.OnReconcile = (widget, token) => log.Count("reconcile", "a") < 5 ? throw new InvalidDataException("broken on purpose") : WidgetLog.Fine(widget, token);
        await StartAsync(cancellationToken, settings => settings.WithParallelReconciliation(parallel => parallel.WithMaxErrorRetries(2)), log: log);

        await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);

        for (var run = 0; run < 5; run++) await log.NextAsync("reconcile", "a", cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task Timers_outlive_an_outage_longer_than_the_retry_budget(CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        var log = new WidgetLog { OnReconcile = (widget, _) => Task.FromResult(Result.Success(widget, TimeSpan.FromMilliseconds(50))) };
        await StartAsync(cancellationToken, settings => settings.WithParallelReconciliation(parallel => parallel.WithMaxErrorRetries(2)), log: log);
        await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        await log.NextAsync("reconcile", "a", cancellationToken);

        var refusal = faults.Add(new FaultRule { Verb = "get", Resource = Widget.Plural, Code = 503 });
        while (refusal.Hits < 5) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        var before = log.Count("reconcile", "a");
        refusal.Dispose();

        while (log.Count("reconcile", "a") < before + 2) await log.NextAsync("reconcile", "a", cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_failure_without_a_time_is_tried_again(CancellationToken cancellationToken)
    {
        var log = new WidgetLog { OnReconcile = (widget, _) => Task.FromResult(Result.Failure(widget, "not yet")) };
        await StartAsync(cancellationToken, log: log);

        await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);

        for (var run = 0; run < 3; run++) await log.NextAsync("reconcile", "a", cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task Each_life_of_a_recreated_object_is_reconciled_and_reported_under_its_own_uid(CancellationToken cancellationToken)
    {
        var running = await StartAsync(cancellationToken);
        var lives = new List<Widget> { await Plane.CreateWidgetAsync("a", Namespace, cancellationToken) };
        await running.Log.NextAsync("reconcile", "a", cancellationToken);

        for (var i = 0; i < 20; i++)
        {
            await Plane.DeleteWidgetAsync(lives[^1], cancellationToken);
            lives.Add(await Plane.CreateWidgetAsync("a", Namespace, cancellationToken));
            while (!running.Log.Calls.Any(call => call.Method == "reconcile" && call.Uid == lives[^1].Metadata.Uid))
                await running.Log.NextAsync("reconcile", "a", cancellationToken);
        }

        while (running.Log.Count("deleted", "a") < 20) await running.Log.NextAsync("deleted", "a", cancellationToken);
        running.Log.Calls.Where(call => call.Method == "deleted").Select(call => call.Uid).Should().BeEquivalentTo(lives.SkipLast(1).Select(life => life.Metadata.Uid));
    }

    [Test, CancelAfter(Limit)]
    public async Task A_busy_object_takes_one_slot_only(CancellationToken cancellationToken)
    {
        var log = new WidgetLog();
        var gate = new TaskCompletionSource();
        log.OnReconcile = async (widget, token) =>
        {
            if (widget.Metadata.Name == "slow") await gate.Task.WaitAsync(token);
            return Result.Success(widget);
        };
        var running = await StartAsync(
            cancellationToken, settings => settings.WithParallelReconciliation(parallel => parallel.WithMaxParallelReconciliations(2)), log: log);
        var slow = await Plane.CreateWidgetAsync("slow", Namespace, cancellationToken);
        await log.NextAsync("reconcile", "slow", cancellationToken);

        for (var size = 1; size <= 5; size++)
        {
            await Plane.PatchWidgetAsync(slow, $$$"""{"spec":{"size":{{{size}}}}}""", cancellationToken);
            await running.WaitUntilCaughtUpAsync(Plane, Namespace, cancellationToken);
        }

        gate.SetResult();
        (await log.NextAsync("reconcile", "slow", cancellationToken)).Widget.Spec.Size.Should().Be(5);
    }
}
