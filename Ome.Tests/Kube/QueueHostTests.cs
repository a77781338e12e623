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

    private async Task<IHost> RunAsync(Probe probe, CollectorRegistry? registry = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(_plane.Configuration);
        builder.Services.AddSingleton(probe);
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

        public ConcurrentQueue<string> Deleted { get; } = [];

        public int Runs(string uid) => _runs.GetValueOrDefault(uid);

        public void Count(string uid) => _runs.AddOrUpdate(uid, 1, (_, runs) => runs + 1);
    }

    /// <summary>The controller; internal, because KubeOps' generator writes a line about it.</summary>
    internal sealed class ProbeController(Probe probe) : IEntityController<BaseModel>
    {
        public Task<ReconciliationResult<BaseModel>> ReconcileAsync(BaseModel entity, CancellationToken cancellationToken)
        {
            probe.Count(entity.Uid());
            return Task.FromResult(probe.FailuresLeft-- > 0
                ? ReconciliationResult<BaseModel>.Failure(entity, "not yet", requeueAfter: probe.RetryFailureAfter)
                : ReconciliationResult<BaseModel>.Success(entity, probe.RequeueAfter));
        }

        public Task<ReconciliationResult<BaseModel>> DeletedAsync(BaseModel entity, CancellationToken cancellationToken)
        {
            probe.Deleted.Enqueue(entity.Uid());
            return Task.FromResult(ReconciliationResult<BaseModel>.Success(entity));
        }
    }
}
