using System.Diagnostics;
using Ome.LocalCluster.Fakes;
using Ome.LocalCluster.Faults;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>
/// Many agents on one control plane while files are damaged and mended, agents restarted and the API server fails, by a seeded draw. Held at every moment: no damaged model is
/// advertised for longer than its bound, and no model is withdrawn that was not damaged.
/// </summary>
[Parallelizable]
public sealed class FleetCampaignTests
{
    [Test, CancelAfter(240_000)]
    public Task A_few_agents_for_a_minute(CancellationToken token) => RunAsync(nodes: 6, TimeSpan.FromSeconds(60), seed: 7, token);

    [Test, Category("Campaign"), CancelAfter(1_500_000)]
    public Task Twenty_four_agents_for_ten_minutes(CancellationToken token) => RunAsync(nodes: 24, TimeSpan.FromMinutes(10), seed: Environment.TickCount, token);

    private static async Task RunAsync(int nodes, TimeSpan length, int seed, CancellationToken token)
    {
        TestContext.Progress.WriteLine($"seed {seed}");
        await using var plane = await ControlPlanes.StartAsync(token);
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.AddDirectory("demo/tiny", tree.Path);
        await using var fleet = await SimulatedFleet.StartAsync(plane, hub, tree.Path, nodes, token);
        await fleet.UntilAllAsync(SimulatedModel.IsAdvertised, "all are Ready at first", token);
        var (random, faults, drawn) = (new Random(seed), plane.RequireFaults(), new SortedDictionary<string, int>(StringComparer.Ordinal));
        var rules = new Queue<FaultHandle>();

        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < length;)
        {
            var action = Draw(random);
            drawn[action] = drawn.GetValueOrDefault(action) + 1;
            await ActAsync(action, fleet, faults, rules, random, token);
            // A window without new faults, in which what was just done meets what is under way.
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(10, 4000 / nodes)), TimeProvider.System, token);
            fleet.HoldInvariants();
        }

        foreach (var rule in rules) rule.Dispose();
        faults.EndOutage();
        await fleet.UntilAllAsync(SimulatedModel.IsTold, "what is damaged is Failed and what is intact Ready", token);
        fleet.MendAll();
        await fleet.UntilAllAsync(SimulatedModel.IsAdvertised, "all are Ready at last", token);
        TestContext.Progress.WriteLine($"{nodes} agents, seed {seed}: {string.Join(", ", drawn.Select(one => $"{one.Value} × {one.Key}"))}. {fleet.Summary()}");
        fleet.Damages.Should().BeGreaterThan(nodes, "a campaign without damage proves nothing");
    }

    private static string Draw(Random random) => random.Next(100) switch
    {
        < 40 => "damage",
        < 70 => "mend",
        < 78 => "harmless touch",
        < 82 => "restart of an agent",
        < 94 => "failing requests",
        < 97 => "dropped watches",
        < 98 => "forgotten history",
        _ => "outage",
    };

    private static async Task ActAsync(string action, SimulatedFleet fleet, FaultInjector faults, Queue<FaultHandle> rules, Random random, CancellationToken token)
    {
        switch (action)
        {
            case "damage":
                fleet.Pick(random, static model => model.MayBeDamaged)?.Damage(random);
                break;
            case "mend":
                fleet.Pick(random, static model => model.IsDamaged)?.Mend();
                break;
            case "harmless touch":
                fleet.Pick(random, static model => !model.IsDamaged)?.Touch(random);
                break;
            case "restart of an agent":
                await fleet.RestartAsync(random, token);
                break;
            case "failing requests":
                rules.Enqueue(faults.Add(Rule(random)));
                if (rules.Count > 4) rules.Dequeue().Dispose();
                break;
            case "dropped watches":
                faults.DropWatches();
                break;
            case "forgotten history":
                faults.TruncateHistory();
                faults.DropWatches();
                break;
            default:
                faults.BeginOutage();
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(200, 3000)), TimeProvider.System, token);
                faults.EndOutage();
                break;
        }
    }

    private static FaultRule Rule(Random random)
    {
        string[] resources = ["nodes", "configmaps", "modelintegritychecks", "clusterbasemodels", "events"];
        string[] verbs = ["get", "patch", "create", "list", "watch"];
        var rule = new FaultRule { Resource = resources[random.Next(resources.Length)], Verb = verbs[random.Next(verbs.Length)], Times = random.Next(1, 6) };
        return random.Next(7) switch
        {
            0 => rule with { Code = 409 },
            1 => rule with { Code = 429, RetryAfterSeconds = 1 },
            2 => rule with { Code = 500 },
            3 => rule with { Code = 503 },
            4 => rule with { CutConnection = true },
            5 => rule with { LoseAnswer = true },
            _ => rule with { Latency = TimeSpan.FromMilliseconds(random.Next(500)) },
        };
    }
}
