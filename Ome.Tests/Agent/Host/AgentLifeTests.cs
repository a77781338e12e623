using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using k8s;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Ome.Agent.Hosting;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>How the agent comes and goes, as kubelet sees it.</summary>
public sealed class AgentLifeTests
{
    // An agent that waits for something is cut off after a minute here, instead of five seconds: a slow machine stops in time, and it does not.
    private static readonly TimeSpan CutOff = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    [Test]
    [CancelAfter(120_000)]
    public async Task Probes_are_answered_while_the_API_server_says_nothing_and_the_stop_does_not_wait_for_it(CancellationToken token)
    {
        using var root = new TempDirectory();
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var options = new AgentOptions { NodeName = "lonely", ModelsRoot = root.Path, Port = 0, BindAddress = "127.0.0.1", LogLevel = "error" };
        await using var agent = AgentHost.Build(options, services => services.AddSingleton(new KubernetesClientConfiguration { Host = "http://" + silent.LocalEndpoint }).Configure<HostOptions>(Patient));

        await agent.StartAsync(token);
        using var client = new HttpClient { BaseAddress = new Uri(agent.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()) };
        (await client.GetStringAsync("/livez", token)).Should().Be("ok");
        (await client.GetStringAsync("/healthz", token)).Should().Be("ok");
        using var ready = await client.GetAsync("/readyz", token);
        ready.StatusCode.Should().Be(HttpStatusCode.InternalServerError);
        (await ready.Content.ReadAsStringAsync(token)).Should().Contain("[-]models-listed failed");

        (await StopTimeAsync(() => agent.StopAsync(token))).Should().BeLessThan(Grace);
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task The_port_answers_before_the_first_slow_step(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var slow = new SlowStep();
        var starting = node.StartAsync(null, services => services.AddHostedService(_ => slow), token);
        try
        {
            await slow.Begun.Task.WaitAsync(token);
            using var client = new HttpClient { BaseAddress = node.Address };
            (await client.GetStringAsync("/livez", token)).Should().Be("ok");
            (await client.GetStringAsync("/healthz", token)).Should().Be("ok");
            using var ready = await client.GetAsync("/readyz", token);
            ready.StatusCode.Should().Be(HttpStatusCode.InternalServerError);
        }
        finally
        {
            slow.Over.SetResult();
        }

        await starting;
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task A_loop_that_fails_ends_the_agent(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var loop = new FailingLoop();
        await node.StartAsync(null, services => services.AddHostedService(_ => loop), token);
        var stopping = new TaskCompletionSource();
        await using var heard = node.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);

        loop.Fail.SetResult();
        await stopping.Task.WaitAsync(token);
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task A_stop_in_the_middle_of_a_staging_and_of_hashing_is_graceful_and_the_next_run_is_not_taken_for_cut_off(CancellationToken token)
    {
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.AddDirectory("demo/slow", tree.Path);
        hub.Faults.Add(new HubFault(HubFaultKind.Stall, HubFaultScope.Body, Times: 1000));
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var directory = node.WriteModel("hashing");
        await node.StartAsync(options => (options.HubEndpoint, options.IntegrityBytesPerSecond) = (hub.Endpoint, 1000), static services => services.Configure<HostOptions>(Patient), token);
        var (local, remote) = ("hashing-" + node.NodeName, "slow-" + node.NodeName);
        await node.ApplyClusterModelAsync(local, "local://" + directory, null, token);
        await node.ApplyClusterModelAsync(remote, "hf://demo/slow", Path.Combine(node.ModelsRoot, "slow"), token);
        await node.WaitForAsync(local, NodeModelState.Ready, token);
        while (hub.Bodies.Count == 0) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);

        (await StopTimeAsync(node.StopAsync)).Should().BeLessThan(Grace);

        new RunMarker(Path.Combine(node.ModelsRoot, ".ome")).LastRunWasCutOff.Should().BeFalse();
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task A_models_root_that_is_only_readable_leaves_the_agent_healthy_and_checking(CancellationToken token)
    {
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.AddDirectory("demo/tiny", tree.Path);
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        using var state = new TempDirectory();
        var directory = node.WriteModel("kept");
        await using var agent = StartReadingOnly(node, state.Path, hub.Endpoint);
        var (kept, fetched) = ("kept-" + node.NodeName, "fetched-" + node.NodeName);

        await node.ApplyClusterModelAsync(kept, "local://" + directory, null, token);
        await node.ApplyClusterModelAsync(fetched, "hf://demo/tiny", Path.Combine(node.ModelsRoot, "tiny"), token);
        await node.WaitForAsync(kept, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(kept, static check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        await node.WaitForAsync(fetched, NodeModelState.Failed, token);
        (await node.EntryAsync(fetched))!.Validation!.Reason.Should().Be("DiskError");

        await agent.UntilReadyAsync(token);
    }

    [Test]
    public async Task Without_a_place_for_its_state_it_ends_and_names_the_flag()
    {
        using var root = new TempDirectory();
        var file = root["file"];
        await File.WriteAllTextAsync(file, "");

        AgentHost.StateProblem(new AgentOptions { ModelsRoot = root.Path, StateDirectory = file + "/state" }).Should().Contain("--state-dir");
        AgentHost.StateProblem(new AgentOptions { ModelsRoot = root.Path }).Should().BeNull();
    }

    /// <summary>The agent as somebody who may read the models and write nothing but its state.</summary>
    private static ProgramProcess StartReadingOnly(AgentFixture node, string state, string hub)
    {
        var isRoot = Environment.IsPrivilegedProcess;
        if (isRoot && !File.Exists("/usr/bin/setpriv")) Assert.Ignore("root may write everywhere, and there is no setpriv (util-linux) to become somebody else");
        var kubeconfig = Path.Combine(state, "kubeconfig");
        File.Copy(node.Plane.KubeconfigPath, kubeconfig);
#pragma warning disable CA1416 // the agent runs on Linux only
        foreach (var directory in Directory.EnumerateDirectories(node.ModelsRoot, "*", SearchOption.AllDirectories).Append(node.ModelsRoot)) File.SetUnixFileMode(directory, (UnixFileMode)0b101_101_101);
        File.SetUnixFileMode(state, (UnixFileMode)0b111_111_111);
        File.SetUnixFileMode(kubeconfig, (UnixFileMode)0b110_100_100);
#pragma warning restore CA1416
        string[] launcher = isRoot ? ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/env", "HOME=" + state] : [];
        return AgentProcess.Start(node, kubeconfig, ["--state-dir", Path.Combine(state, "ome"), "--hf-endpoint", hub, "--log-level", "error"], launcher);
    }

    private static void Patient(HostOptions host) => host.ShutdownTimeout = CutOff;

    private static async Task<TimeSpan> StopTimeAsync(Func<Task> stop)
    {
        var started = Stopwatch.GetTimestamp();
        await stop();
        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>The first thing the agent starts, as slow as a disk that hangs.</summary>
    private sealed class SlowStep : IHostedService
    {
        public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task StartAsync(CancellationToken cancellationToken)
        {
            Begun.SetResult();
            return Over.Task;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class FailingLoop : BackgroundService
    {
        public TaskCompletionSource Fail { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Fail.Task.WaitAsync(stoppingToken);
            throw new InvalidOperationException("as a mistake in a loop would");
        }
    }
}
