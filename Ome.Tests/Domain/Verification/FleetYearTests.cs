using System.Collections.Concurrent;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Verification;

/// <summary>
/// A fleet over a long time (integrity reference F.10): models that were all staged at one moment and nodes that all restart at one moment read
/// evenly, each in its own rhythm, and no byte grows older than promised. The planner does not know how many nodes there are: a sample shows it.
/// </summary>
public sealed class FleetYearTests
{
    private const long Chunk = 64;
    private const int Chunks = 200;

    private static readonly VerificationPolicy Policy = new() { Interval = TimeSpan.FromHours(1) };

    [Test]
    public void A_fleet_reads_evenly_for_five_weeks() => Simulate(nodes: 30, models: 2, weeks: 5);

    [Test]
    [Category("Campaign")]
    public void A_fleet_reads_evenly_for_a_year() => Simulate(nodes: 20, models: 10, weeks: 52);

    private static void Simulate(int nodes, int models, int weeks)
    {
        var runs = weeks * 7 * 24;
        var load = new long[runs + 1];
        var oldest = new ConcurrentBag<TimeSpan>();
        var seeds = from node in Enumerable.Range(0, nodes) from model in Enumerable.Range(0, models) select FleetSpread.Seed($"node-{node}", $"model-{model}");
        Parallel.ForEach(seeds, seed => oldest.Add(RunModel(seed, runs, load)));

        var mean = load.Skip(1).Average();
        var text = $"{nodes} nodes x {models} models x {weeks} weeks: mean {mean / Chunk:F1} chunks an hour, most {load.Max() / Chunk} (x {load.Max() / mean:F2}), oldest proof {oldest.Max().TotalDays:F2} d";
        TestContext.Progress.WriteLine(text);
        load.Max().Should().BeLessThanOrEqualTo((long)(2 * mean), text);
        oldest.Max().Should().BeLessThanOrEqualTo(Policy.DeepMaxAge, text);
    }

    /// <summary>Every check of one model; gives the greatest age a byte reached.</summary>
    private static TimeSpan RunModel(ulong seed, int runs, long[] load)
    {
        var document = GivenManifest.Document([GivenManifest.Entry("weights", Chunks * Chunk, Chunk)], Chunk);
        var ledger = VerificationLedger.ProvenAt(document, GivenManifest.Born);
        var phase = FleetSpread.StartPhase(seed, Policy.StartJitter);
        var worst = TimeSpan.Zero;
        for (var run = 1; run <= runs; run++)
        {
            // All nodes restart half way and come back after a quarter of an hour, each in its own phase.
            if (run == runs / 2) phase = TimeSpan.FromMinutes(15) + FleetSpread.StartPhase(seed + 1, Policy.StartJitter);
            var now = GivenManifest.Born + (run * Policy.Interval) + phase;
            var age = now - ledger.OldestProof(now)!.Value;
            if (age > worst) worst = age;
            var plan = VerificationPlanner.Plan(ledger, Policy, CheckScope.Scheduled, now, seed);
            foreach (var look in plan.Looks)
            {
                foreach (var chunk in look.Whole ? Enumerable.Range(0, Chunks) : look.Chunks) ledger.Prove(0, chunk, now, ReadRoute.Direct);
            }

            ledger.LastCheckAt = now;
            Interlocked.Add(ref load[run], plan.Bytes);
        }

        return worst;
    }
}
