using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Ome.Agent.Verification.Reading;
using Ome.Agent.Watching;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Agent.Reading;
using Ome.Tests.Agent.Watching;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>A kernel that loses events, or gives no watches: damage is found all the same, and somebody is told.</summary>
public sealed class WatchTroubleTests
{
    private const int ENOSPC = 28;
    private const string Missing = "model_agent_watch_missing";

    [Test, CancelAfter(180_000)]
    public async Task An_event_that_is_lost_costs_a_look_at_every_model(CancellationToken token)
    {
        var kernel = new TroubledEvents();
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(null, services => services.AddSingleton<Func<IKernelEvents>>(() => kernel), token);
        var (damaged, shard) = await ReadyAsync(node, "damaged", token);
        var (intact, _) = await ReadyAsync(node, "intact", token);
        var before = await node.ChecksAsync(("name", intact));

        kernel.LoseNext();
        File.Delete(shard);

        await node.WaitForAsync(damaged, NodeModelState.Failed, token);
        while (await node.ChecksAsync(("name", intact)) < before + 1) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
        (await node.LabelAsync(intact)).Should().Be("Ready");
        (await node.MetricsAsync()).Value("model_agent_watch_overflows_total").Should().Be(1);
    }

    [Test, CancelAfter(180_000)]
    public async Task Without_watches_the_interval_finds_damage_and_the_limit_is_named_once(CancellationToken token)
    {
        var kernel = new TroubledEvents { Refusal = ENOSPC };
        var log = new RecordingLogger<ModelWatch>();
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(
            options => options.IntegrityInterval = TimeSpan.FromSeconds(1),
            services => services.AddSingleton<Func<IKernelEvents>>(() => kernel).AddSingleton<ILogger<ModelWatch>>(log),
            token);
        var (model, shard) = await ReadyAsync(node, "model", token);
        while ((await node.MetricsAsync()).Value(Missing, ("name", model)) != 1) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);

        File.Move(shard, shard + ".aside");
        await node.WaitForAsync(model, NodeModelState.Failed, token);
        File.Move(shard + ".aside", shard);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        log.Lines.Should().ContainSingle().Which.Text.Should().Contain("fs.inotify.max_user_watches");

        kernel.Refusal = null;
        while ((await node.MetricsAsync()).Value(Missing, ("name", model)) != 0) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, token);
    }

    [Test, CancelAfter(180_000)]
    public async Task A_mount_that_hangs_keeps_no_other_model_from_being_watched([Values] bool onlyWhenWatched, CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(cancellationToken: token);
        var (hung, _) = await ReadyAsync(node, "hung", token);
        await node.StopAsync();

        var directory = Path.Combine(node.ModelsRoot, "hung");
        using var back = new ManualResetEventSlim();
        // Whatever was asked of it before answered, it may hang in the very call that watches it.
        var calls = new FaultyCalls { Before = call => Hang(onlyWhenWatched ? null : call.Path) };
        try
        {
            // The models share one real mount here: what hangs in one must not count against the other.
            await node.StartAsync(
                null,
                services => services
                    .AddSingleton<Func<IKernelEvents>>(() => new TroubledEvents { Before = Hang })
                    .AddSingleton(provider => new ReadEngine(new ReadEngineOptions { MaxAbandonedPerMount = 64, CallTimeout = TimeSpan.FromSeconds(5) }, provider.GetRequiredService<IoBudget>(), TimeProvider.System, calls)),
                token);
            var (other, shard) = await ReadyAsync(node, "other", token);
            await UntilAsync(async () => (await node.MetricsAsync()).Value(Missing, ("name", other)) == 0, token);
            File.Delete(shard);
            await node.WaitForAsync(other, NodeModelState.Failed, token);
            await UntilAsync(async () => (await node.MetricsAsync()).Value(Missing, ("name", hung)) == 1, token);
            if (!onlyWhenWatched) (await node.LabelAsync(hung)).Should().Be("Ready", "nobody could look");
        }
        finally
        {
            back.Set();
        }

        await UntilAsync(async () => (await node.MetricsAsync()).Value(Missing, ("name", hung)) == 0, token);

        void Hang(string? path)
        {
            if (path == directory) back.Wait(TimeSpan.FromMinutes(3), CancellationToken.None);
        }
    }

    [Test, CancelAfter(180_000)]
    public async Task The_whole_agent_takes_one_inotify_instance(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await using var agent = AgentProcess.Start(node);
        for (var i = 0; i < 3; i++) await ReadyAsync(node, $"model-{i}", token);
        while ((await agent.MetricsAsync(token)).Split('\n').Count(line => line.StartsWith(Missing + "{", StringComparison.Ordinal) && line.EndsWith(" 0", StringComparison.Ordinal)) < 3)
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, token);

        InotifyInstances.Of(agent.Id).Should().Be(1);
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, CancellationToken token)
    {
        while (!await holds()) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, token);
    }

    private static async Task<(string Model, string Shard)> ReadyAsync(AgentFixture node, string name, CancellationToken token)
    {
        var directory = node.WriteModel(name);
        var model = $"{name}-{node.NodeName}";
        await node.ApplyClusterModelAsync(model, "local://" + directory, null, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(model, static check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        return (model, Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First());
    }
}
