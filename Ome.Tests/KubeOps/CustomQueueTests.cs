using KubeOps.Abstractions.Builder;
using KubeOps.Operator.Queue;
using Microsoft.Extensions.DependencyInjection;
using Ome.LocalCluster.Faults;
using Ome.Shared.Kube;
using Ome.Tests.KubeOpsApi.Support;
using Ome.Tests.Support.ControlPlanes;
using Result = KubeOps.Abstractions.Reconciliation.ReconciliationResult<Ome.Tests.KubeOpsApi.Support.Widget>;

namespace Ome.Tests.KubeOpsApi;

/// <summary>Our own queue in KubeOps' seam: what the built-in one loses is kept, whichever source KubeOps comes from.</summary>
public sealed class CustomQueueTests : WidgetFixture
{
    [Test, CancelAfter(Limit)]
    public async Task Five_objects_with_timers_run_again_after_an_outage_longer_than_the_retry_budget(CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        var log = new WidgetLog { OnReconcile = (widget, _) => Task.FromResult(Result.Success(widget, TimeSpan.FromMilliseconds(100))) };
        await StartAsync(cancellationToken, Custom, before: services => AddQueue(services), log: log);
        var names = Enumerable.Range(0, 5).Select(i => $"timer-{i}").ToList();
        foreach (var name in names) await Plane.CreateWidgetAsync(name, Namespace, cancellationToken);
        foreach (var name in names) await log.NextAsync("reconcile", name, cancellationToken);

        var refusal = faults.Add(new FaultRule { Verb = "get", Resource = Widget.Plural, Code = 503 });
        while (refusal.Hits < 5 * 8) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        log.Calls.Clear();
        refusal.Dispose();

        while (names.Exists(name => log.Count("reconcile", name) < 2)) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_recreated_object_is_always_reconciled_and_never_reported_deleted(CancellationToken cancellationToken)
    {
        var running = await StartAsync(cancellationToken, Custom, before: services => AddQueue(services));
        var lives = new List<Widget> { await Plane.CreateWidgetAsync("a", Namespace, cancellationToken) };
        await running.Log.NextAsync("reconcile", "a", cancellationToken);

        for (var i = 0; i < 20; i++)
        {
            await Plane.DeleteWidgetAsync(lives[^1], cancellationToken);
            if (i % 2 == 1) await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System, cancellationToken);
            lives.Add(await Plane.CreateWidgetAsync("a", Namespace, cancellationToken));
            while (!running.Log.Calls.Any(call => call.Method == "reconcile" && call.Uid == lives[^1].Metadata.Uid))
                await running.Log.NextAsync("reconcile", "a", cancellationToken);
        }

        var alive = lives[^1].Metadata.Uid;
        running.Log.Calls.Where(call => call.Method == "deleted").Should().NotContain(call => call.Uid == alive);
        running.Log.Calls.Where(call => call.Method == "deleted").Select(call => call.Uid).Should().OnlyHaveUniqueItems();
    }

    private static void Custom(OperatorSettingsBuilder settings) => settings
        .WithQueueStrategy(QueueStrategy.Custom)
        .WithParallelReconciliation(parallel => parallel.WithMaxErrorRetries(int.MaxValue));

    private static void AddQueue(IServiceCollection services)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<QueueMetrics>(_ => new QueueMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry())));
        services.AddSingleton(new QueueBackoff(new Backoff(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(100), 1)));
        services.AddSingleton(typeof(ITimedEntityQueue<>), typeof(KeyedEntityQueue<>));
        services.AddHostedService<EntityQueueBackgroundService<Widget>>();
    }
}
