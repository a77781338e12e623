using System.Diagnostics;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Models;
using Ome.Shared.Kube;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>Agents with one small model each, half of them from the hub, and a watch of what all of them advertise.</summary>
internal sealed class SimulatedFleet : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>One Basic interval is the promise; failing requests, their back-off and a machine with fewer cores than agents come on top.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly FakeHub _hub;
    private readonly List<(AgentFixture Node, SimulatedModel Model)> _nodes = [];
    private Task _watching = Task.CompletedTask;
    private int _restarts;

    private SimulatedFleet(FakeHub hub) => _hub = hub;

    public int Damages => _nodes.Sum(static node => node.Model.Damages);

    public static async Task<SimulatedFleet> StartAsync(ITestControlPlane plane, FakeHub hub, string tree, int count, CancellationToken token)
    {
        var fleet = new SimulatedFleet(hub);
        for (var i = 0; i < count; i++)
        {
            var node = await AgentFixture.CreateAsync(plane, token);
            var directory = Path.Combine(node.ModelsRoot, "model");
            if (i % 2 == 0) node.WriteModel("model");
            fleet._nodes.Add((node, new SimulatedModel("fleet-" + node.NodeName, node.NodeName, directory, tree)));
            await node.ApplyClusterModelAsync("fleet-" + node.NodeName, i % 2 == 0 ? "local://" + directory : "hf://demo/tiny", directory, token);
            await fleet.StartAsync(node, token);
        }

        // From here on every byte has a digest to be held against.
        foreach (var (node, model) in fleet._nodes) await node.WaitForCheckAsync(model.Name, check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        var informer = new Informer<V1Node, V1Node>(
            plane.Admin, new InformerOptions { BackoffFirst = TimeSpan.FromMilliseconds(20), BackoffCap = TimeSpan.FromMilliseconds(200) }, static node => node, fleet.SeeAsync,
            TimeProvider.System, NullLogger<Informer<V1Node, V1Node>>.Instance);
        fleet._watching = informer.RunAsync(fleet._stop.Token);
        return fleet;
    }

    /// <summary>One of the models for which a condition holds; null when there is none.</summary>
    public SimulatedModel? Pick(Random random, Func<SimulatedModel, bool> condition)
    {
        var fitting = _nodes.Select(static node => node.Model).Where(condition).ToList();
        return fitting.Count == 0 ? null : fitting[random.Next(fitting.Count)];
    }

    public void MendAll()
    {
        foreach (var (_, model) in _nodes.Where(static node => node.Model.IsDamaged)) model.Mend();
    }

    public async Task RestartAsync(Random random, CancellationToken token)
    {
        var (node, model) = _nodes[random.Next(_nodes.Count)];
        await node.StopAsync();
        if (random.Next(2) == 0 && model.MayBeDamaged) model.Damage(random);
        await StartAsync(node, token);
        model.AgentStarted();
        _restarts++;
    }

    public void HoldInvariants()
    {
        foreach (var (_, model) in _nodes) model.HoldInvariants(Bound);
    }

    public async Task UntilAllAsync(Func<SimulatedModel, bool> condition, string what, CancellationToken token)
    {
        var started = Stopwatch.GetTimestamp();
        while (!_nodes.All(node => condition(node.Model)))
        {
            if (Stopwatch.GetElapsedTime(started) > 2 * Bound) Assert.Fail($"It did not come to be: {what}.\n{string.Join('\n', _nodes.Select(static node => node.Model).Where(model => !condition(model)))}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
        }

        foreach (var (_, model) in _nodes) model.HoldInvariants(null);
    }

    public string Summary()
    {
        var times = _nodes.SelectMany(static node => node.Model.TimesToWithdrawal).Order().ToList();
        string At(double share) => times.Count == 0 ? "-" : $"{times[(int)Math.Min(times.Count - 1, share * times.Count)].TotalSeconds:F2} s";
        return $"{Damages} damages, {times.Count} seen withdrawn after median {At(0.5)}, p99 {At(0.99)}, at most {At(1)}; {_restarts} restarts; no false withdrawal";
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        foreach (var (node, _) in _nodes) await node.DisposeAsync();
        _stop.Dispose();
    }

    private Task StartAsync(AgentFixture node, CancellationToken token) => node.StartAsync(
        options =>
        {
            options.IntegrityInterval = Interval;
            options.HubEndpoint = _hub.Endpoint;
            options.IntegrityWorkers = 1;
            options.LogLevel = "error";
        },
        token);

    private ValueTask SeeAsync(InformerEvent<V1Node> change, CancellationToken cancellationToken)
    {
        foreach (var (node, model) in _nodes.Where(node => node.Node.NodeName == change.Item.Metadata.Name))
        {
            var label = ModelKey.Cluster(model.Name).LabelKey;
            model.Advertised(change.Item.Metadata.Labels is { } labels && labels.TryGetValue(label, out var value) ? value : null);
        }

        return ValueTask.CompletedTask;
    }
}
