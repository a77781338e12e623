using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.Abstractions.Reconciliation.Controller;
using KubeOps.Operator;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Kube;
using Ome.Tests.Architecture;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;
using Prometheus;

namespace Ome.Tests.Kube;

/// <summary>Our queue under KubeOps' watcher and consumer, on a control plane that goes away.</summary>
public sealed class QueueHostTests
{
    private const int Limit = 120_000;

    private ITestControlPlane _plane = null!;
    private string _ns = null!;
    private CancellationToken _stop;

    [SetUp]
    public async Task StartAsync()
    {
        _stop = TestContext.CurrentContext.CancellationToken;
        _plane = await ControlPlanes.StartAsync(_stop);
        await _plane.InstallCrdsAsync(Path.Combine(RepositoryTests.RepositoryRoot(), "config", "crd"), _stop);
        _ns = await _plane.CreateNamespaceAsync(_stop);
    }

    [TearDown]
    public async Task StopAsync() => await _plane.DisposeAsync();

    [TestCase(2)]
    [TestCase(10, Category = "Campaign")]
    [CancelAfter(Limit)]
    public async Task All_objects_that_wait_for_their_time_run_again_after_an_outage(int seconds)
    {
        var faults = _plane.RequireFaults();
        var probe = new Probe { RequeueAfter = TimeSpan.FromMilliseconds(300) };
        using var host = await RunAsync(probe);
        var uids = new List<string>();
        for (var i = 0; i < 5; i++) uids.Add((await CreateAsync($"m{i}")).Uid());
        await UntilAsync(() => uids.TrueForAll(uid => probe.Runs(uid) >= 2));

        faults.BeginOutage();
        await Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System, _stop);
        var before = uids.ToDictionary(uid => uid, probe.Runs);
        faults.EndOutage();

        await UntilAsync(() => uids.TrueForAll(uid => probe.Runs(uid) >= before[uid] + 2));
        await host.StopAsync(_stop);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_name_deleted_and_created_again_at_once_is_always_reconciled_and_never_taken_for_the_dead_one()
    {
        var probe = new Probe();
        using var host = await RunAsync(probe);
        var lives = new List<string> { (await CreateAsync("reborn")).Uid() };
        await UntilAsync(() => probe.Runs(lives[0]) > 0);

        for (var i = 0; i < 20; i++)
        {
            await _plane.Admin.CustomObjects.DeleteNamespacedCustomObjectAsync<JsonObject>(OmeNames.Group, OmeNames.Version, _ns, BaseModel.Plural, "reborn", cancellationToken: _stop);
            var born = (await CreateAsync("reborn")).Uid();
            lives.Add(born);
            await UntilAsync(() => probe.Runs(born) > 0);
            probe.Deleted.Should().NotContain(born);
        }

        await UntilAsync(() => probe.Deleted.Count >= 20);
        probe.Deleted.Should().BeEquivalentTo(lives.Take(20));
        await host.StopAsync(_stop);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_failure_that_names_no_time_is_tried_again()
    {
        var probe = new Probe { FailuresLeft = 3 };
        using var host = await RunAsync(probe);

        var uid = (await CreateAsync("stubborn")).Uid();

        await UntilAsync(() => probe.Runs(uid) == 4);
        await host.StopAsync(_stop);
    }

    [Test, CancelAfter(Limit)]
    public async Task Each_run_is_measured_and_each_failure_counted_also_one_that_names_its_time()
    {
        var registry = Metrics.NewCustomRegistry();
        var probe = new Probe { FailuresLeft = 3, RetryFailureAfter = TimeSpan.FromMilliseconds(10) };
        using var host = await RunAsync(probe, registry);

        var uid = (await CreateAsync("measured")).Uid();

        (await UntilMeasuredAsync(registry, 4)).Value("ome_reconcile_errors_total", ("kind", nameof(BaseModel))).Should().Be(3);
        probe.Runs(uid).Should().Be(4);
        await host.StopAsync(_stop);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_run_that_cannot_read_its_object_is_an_error()
    {
        var registry = Metrics.NewCustomRegistry();
        var probe = new Probe();
        using var host = await RunAsync(probe, registry);
        using var refusal = _plane.RequireFaults().Add(new() { Verb = "get", Resource = BaseModel.Plural, Code = 500, Times = 2 });

        var uid = (await CreateAsync("unread")).Uid();

        (await UntilMeasuredAsync(registry, 3)).Value("ome_reconcile_errors_total", ("kind", nameof(BaseModel))).Should().Be(2);
        probe.Runs(uid).Should().Be(1);
        await host.StopAsync(_stop);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_planned_run_whose_work_was_done_elsewhere_reads_nothing_and_an_edit_runs_at_once()
    {
        var log = _plane.RequireRequestLog();
        var plan = new Plan { Left = TimeSpan.FromHours(1) };
        var probe = new Probe { RequeueAfter = TimeSpan.FromMilliseconds(20) };
        using var host = await RunAsync(probe, plan: plan);

        var uid = (await CreateAsync("planned")).Uid();
        await UntilAsync(() => plan.Asked == 1);
        await EditAsync("planned", "hf://a/c");
        await UntilAsync(() => plan.Asked == 2);

        probe.Runs(uid).Should().Be(2, "once for the object that came and once for its edit");
        log.Last.Count(static request => request is { Verb: "get", Resource: BaseModel.Plural }).Should().Be(2);
        await host.StopAsync(_stop);
    }

    [Test, CancelAfter(Limit)]
    public async Task An_edit_during_a_run_that_plans_the_next_is_not_put_off_with_it()
    {
        var plan = new Plan { Left = TimeSpan.FromHours(1) };
        using var began = new SemaphoreSlim(0);
        using var ends = new SemaphoreSlim(0);
        var probe = new Probe
        {
            RequeueAfter = TimeSpan.Zero,
            During = async stop =>
            {
                began.Release();
                await ends.WaitAsync(stop);
            },
        };
        using var host = await RunAsync(probe, plan: plan);
        var uid = (await CreateAsync("busy")).Uid();

        for (var run = 1; run <= 10; run++)
        {
            await began.WaitAsync(_stop);
            probe.Runs(uid).Should().Be(run);
            await EditAsync("busy", $"hf://a/b{run}");
            ends.Release();
        }

        await began.WaitAsync(_stop);
        ends.Release();
        await host.StopAsync(_stop);
    }

    [Test]
    public void Without_the_settings_for_our_queue_a_controller_is_refused_at_start() =>
        FluentActions.Invoking(() => new ServiceCollection().AddKubernetesOperator().AddQueuedController<ProbeController, BaseModel>())
            .Should().Throw<InvalidOperationException>().WithMessage("*QueueStrategy is InMemory; it must be Custom*WithKeyedQueue*");

    private async Task<MetricsText> UntilMeasuredAsync(CollectorRegistry registry, int runs)
    {
        while (true)
        {
            using var text = new MemoryStream();
            await registry.CollectAndExportAsTextAsync(text, _stop);
            var metrics = new MetricsText(Encoding.UTF8.GetString(text.ToArray()));
            if (metrics.Value("ome_reconcile_duration_seconds_count", ("kind", nameof(BaseModel))) >= runs) return metrics;
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, _stop);
        }
    }

    private async Task<IHost> RunAsync(Probe probe, CollectorRegistry? registry = null, Plan? plan = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(_plane.Configuration);
        builder.Services.AddSingleton(probe);
        if (plan is not null) builder.Services.AddSingleton<IPlannedRuns<BaseModel>>(plan);
        builder.Services.AddSingleton<IMetricFactory>(Metrics.WithCustomRegistry(registry ?? Metrics.NewCustomRegistry()));
        builder.Services.AddSingleton(new QueueBackoff(new Backoff(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(500), Seed: 1)));
        builder.Services.AddKubernetesOperator(settings => settings.WithKeyedQueue()).AddQueuedController<ProbeController, BaseModel>();
        var host = builder.Build();
        await host.StartAsync(_stop);
        return host;
    }

    private Task<BaseModel> CreateAsync(string name)
    {
        var model = new BaseModel { Metadata = new() { Name = name, NamespaceProperty = _ns }, Spec = new() { Storage = new() { StorageUri = "hf://a/b" } } };
        return _plane.Admin.CustomObjects.CreateNamespacedCustomObjectAsync<BaseModel>(model, OmeNames.Group, OmeNames.Version, _ns, BaseModel.Plural, cancellationToken: _stop);
    }

    private Task EditAsync(string name, string storageUri) => _plane.Admin.CustomObjects.PatchNamespacedCustomObjectAsync<BaseModel>(
        new V1Patch(new { spec = new { storage = new { storageUri } } }, V1Patch.PatchType.MergePatch), OmeNames.Group, OmeNames.Version, _ns, BaseModel.Plural, name, cancellationToken: _stop);

    private async Task UntilAsync(Func<bool> condition)
    {
        while (!condition()) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, _stop);
    }

    /// <summary>Counts runs by uid, over all the controllers KubeOps makes: one per run.</summary>
    internal sealed class Probe
    {
        private readonly ConcurrentDictionary<string, int> _runs = [];

        public TimeSpan? RequeueAfter { get; init; }

        public int FailuresLeft { get; set; }

        public TimeSpan? RetryFailureAfter { get; init; }

        public Func<CancellationToken, Task>? During { get; init; }

        public ConcurrentQueue<string> Deleted { get; } = [];

        public int Runs(string uid) => _runs.GetValueOrDefault(uid);

        public void Count(string uid) => _runs.AddOrUpdate(uid, 1, (_, runs) => runs + 1);
    }

    /// <summary>Somebody else does the work, at a time of its own.</summary>
    private sealed class Plan : IPlannedRuns<BaseModel>
    {
        private int _asked;

        public int Asked => Volatile.Read(ref _asked);

        public TimeSpan Left { get; init; }

        public TimeSpan? Remaining(BaseModel entity)
        {
            Interlocked.Increment(ref _asked);
            return Left;
        }
    }

    /// <summary>The controller; internal, because KubeOps' generator writes a line about it.</summary>
    internal sealed class ProbeController(Probe probe) : IEntityController<BaseModel>
    {
        public async Task<ReconciliationResult<BaseModel>> ReconcileAsync(BaseModel entity, CancellationToken cancellationToken)
        {
            probe.Count(entity.Uid());
            if (probe.During is { } during) await during(cancellationToken);
            return probe.FailuresLeft-- > 0
                ? ReconciliationResult<BaseModel>.Failure(entity, "not yet", requeueAfter: probe.RetryFailureAfter)
                : ReconciliationResult<BaseModel>.Success(entity, probe.RequeueAfter);
        }

        public Task<ReconciliationResult<BaseModel>> DeletedAsync(BaseModel entity, CancellationToken cancellationToken)
        {
            probe.Deleted.Enqueue(entity.Uid());
            return Task.FromResult(ReconciliationResult<BaseModel>.Success(entity));
        }
    }
}
