using CsCheck;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Verification;

/// <summary>What the planner promises, over random artifacts, clocks and outages.</summary>
public sealed class PlannerLaws
{
    private const long Chunk = 64;

    private static readonly VerificationPolicy Policy = new() { DeepMaxAge = TimeSpan.FromHours(24), Interval = TimeSpan.FromMinutes(10) };

    private static readonly Gen<ManifestDocument> Documents =
        from sizes in Gen.Long[0, 2000].Array[1, 25]
        select GivenManifest.Document(sizes.Select((size, i) => GivenManifest.Entry($"f{i:d3}", size, Chunk)), Chunk);

    [Test]
    public void Every_byte_is_proven_within_its_maximum_age() =>
        Gen.Select(Documents, Gen.ULong, Gen.Int[0, 36]).Sample(
            (document, seed, gapHours) =>
            {
                var ledger = VerificationLedger.ProvenAt(document, GivenManifest.Born);
                var now = GivenManifest.Born;
                for (var run = 0; run < 600; run++)
                {
                    now += Policy.Interval;
                    // One outage of the agent; the age is promised while it runs.
                    if (run == 250) now += TimeSpan.FromHours(gapHours);
                    Execute(ledger, VerificationPlanner.Plan(ledger, Policy, CheckScope.Scheduled, now, seed), now);
                    if (now - ledger.OldestProof(now) > Policy.DeepMaxAge) return false;
                }

                return true;
            },
            iter: 10);

    [Test]
    public void The_load_is_even_when_everything_was_proven_at_once() =>
        Gen.Select(Gen.ULong, Gen.Int[40, 80]).Sample(IsEven, iter: 10);

    /// <summary>Pieces that were due came on top of the share: eight chunks in one pass where the mean is 5.6 (CsCheck seed dxOu76YMJS31).</summary>
    [Test]
    public void What_is_due_comes_out_of_the_even_share() => IsEven(1627066245268587324, 65).Should().BeTrue();

    [Test]
    public void A_pass_never_exceeds_its_budget_by_more_than_one_piece() =>
        Gen.Select(Documents, Gen.ULong, Gen.Long[0, 3000], Gen.Int[-100_000, 100_000]).Sample(
            (document, seed, budget, hours) =>
                VerificationPlanner.Plan(VerificationLedger.ProvenAt(document, GivenManifest.Born), Policy, CheckScope.Scheduled, GivenManifest.Born.AddHours(hours), seed, budget)
                    .Bytes <= budget + Chunk,
            iter: 2000);

    [Test]
    public void Nothing_starves_when_the_budget_is_too_small_and_the_clock_jumps_by_ten_years() =>
        Gen.Select(Documents, Gen.ULong, Gen.Int[-3650, 3650].Array[0, 3], Gen.Long[1, 500]).Sample(
            (document, seed, jumps, budget) =>
            {
                var ledger = VerificationLedger.ProvenAt(document, GivenManifest.Born);
                var now = GivenManifest.Born;
                foreach (var jump in jumps.Append(0))
                {
                    now = now.AddDays(jump);
                    var read = new HashSet<(int, int)>();
                    // Enough passes to read everything that is due twice over, even at one piece a pass.
                    var pieces = document.Manifest.Entries.Sum(VerificationLedger.Pieces);
                    for (var run = 0; run < (2 * pieces) + 300; run++)
                    {
                        now += Policy.Interval;
                        var plan = VerificationPlanner.Plan(ledger, Policy, CheckScope.Scheduled, now, seed, budget);
                        if (plan.Bytes > budget + Chunk) return false;
                        read.UnionWith(Execute(ledger, plan, now));
                    }

                    if (read.Count < pieces) return false;
                }

                return true;
            },
            iter: 12);

    [Test]
    public void The_same_seed_gives_the_same_plan() =>
        Gen.Select(Documents, Gen.ULong, Gen.Int[0, 200]).Sample(
            (document, seed, hours) => Text(document, seed, hours) == Text(document, seed, hours), iter: 500);

    [Test]
    public void A_full_pass_that_is_stopped_anywhere_goes_on_where_it_stopped() =>
        Gen.Select(Documents, Gen.ULong, Gen.Int[0, 60]).Sample(
            (document, seed, stopAfter) =>
            {
                var now = GivenManifest.Born.AddDays(1);
                var ledger = VerificationLedger.ProvenAt(document, GivenManifest.Born);
                ledger.RequestFullPass(now);
                var first = VerificationPlanner.Plan(ledger, Policy, CheckScope.Full, now, seed);
                var done = Execute(ledger, first with { Looks = [.. first.Looks.Take(stopAfter)] }, now.AddSeconds(1));
                LedgerCodec.TryRead(new MemoryStream(LedgerCodec.Write(ledger)), document, out var restored, out _);
                var rest = Execute(restored!, VerificationPlanner.Plan(restored!, Policy, CheckScope.Full, now.AddHours(1), seed), now.AddHours(1));
                return !done.Overlaps(rest) && done.Count + rest.Count == document.Manifest.Entries.Sum(VerificationLedger.Pieces);
            },
            iter: 500);

    /// <summary>A file of no bytes fits a share of no bytes: it was read again by the pass that had just read it (CsCheck seed 0aJb7HBsoRs1).</summary>
    [Test]
    public void A_full_pass_reads_an_empty_file_once([Range(0, 9)] int seed)
    {
        var now = GivenManifest.Born.AddDays(1);
        var document = GivenManifest.Document([GivenManifest.Entry("empty", 0, Chunk), GivenManifest.Entry("weights", 10 * Chunk, Chunk)], Chunk);
        var ledger = VerificationLedger.ProvenAt(document, GivenManifest.Born);
        ledger.RequestFullPass(now);

        Execute(ledger, VerificationPlanner.Plan(ledger, Policy, CheckScope.Full, now, (ulong)seed), now).Should().HaveCount(11);
        VerificationPlanner.Plan(ledger, Policy, CheckScope.Full, now.AddHours(1), (ulong)seed).Looks.Should().BeEmpty();
    }

    [Test]
    public void Suspects_come_first_and_whole() =>
        Gen.Select(Documents, Gen.ULong, Gen.Int[0, 24]).Sample(
            (document, seed, suspect) =>
            {
                suspect %= document.Manifest.Entries.Length;
                var ledger = VerificationLedger.ProvenAt(document, GivenManifest.Born);
                ledger.Suspect(suspect, FindingReason.ChangedDuringCheck, GivenManifest.Born);
                var plan = VerificationPlanner.Plan(ledger, Policy, CheckScope.Presence, GivenManifest.Born, seed);
                return plan.Looks is [{ Whole: true, Reason: LookReason.Suspect, Entries: [var entry] }] && entry == suspect;
            },
            iter: 500);

    /// <summary>Runs 500 checks in a row; true when none read much more than the mean, and the mean is the pace.</summary>
    private static bool IsEven(ulong seed, int files)
    {
        var document = GivenManifest.Document(Enumerable.Range(0, files).Select(i => GivenManifest.Entry($"f{i:d3}", 10 * Chunk, Chunk)), Chunk);
        var ledger = VerificationLedger.ProvenAt(document, GivenManifest.Born);
        var (now, most, sum) = (GivenManifest.Born, 0L, 0L);
        for (var run = 0; run < 500; run++)
        {
            now += Policy.Interval;
            var plan = VerificationPlanner.Plan(ledger, Policy, CheckScope.Scheduled, now, seed);
            Execute(ledger, plan, now);
            (most, sum) = (Math.Max(most, plan.Bytes), sum + plan.Bytes);
        }

        var mean = sum / 500.0;
        var ideal = document.Manifest.TotalBytes * (Policy.Interval / (VerificationPolicy.ScheduledShare * Policy.DeepMaxAge));
        TestContext.Out.WriteLine($"seed {seed}, {files} files: most {most / (double)Chunk}, mean {mean / Chunk}, pace {ideal / Chunk} chunks");
        return most <= mean + (2 * Chunk) && mean < 1.3 * ideal && mean > 0.9 * ideal;
    }

    private static string Text(ManifestDocument document, ulong seed, int hours)
    {
        var plan = VerificationPlanner.Plan(VerificationLedger.ProvenAt(document, GivenManifest.Born), Policy, CheckScope.Scheduled, GivenManifest.Born.AddHours(hours), seed);
        return string.Join(';', plan.Looks.Select(look => $"{string.Join(',', look.Entries)}:{(look.Whole ? "all" : string.Join(',', look.Chunks))}:{look.Reason}"));
    }

    private static HashSet<(int Entry, int Chunk)> Execute(VerificationLedger ledger, VerificationPlan plan, DateTimeOffset now)
    {
        var read = new HashSet<(int, int)>();
        foreach (var look in plan.Looks)
        {
            foreach (var entry in look.Entries)
            {
                var chunks = look.Whole ? Enumerable.Range(0, VerificationLedger.Pieces(ledger.Manifest.Entries[entry])) : look.Chunks;
                foreach (var chunk in chunks)
                {
                    ledger.Prove(entry, chunk, now, ReadRoute.Mixed);
                    read.Add((entry, chunk));
                }
            }
        }

        ledger.LastCheckAt = now;
        return read;
    }
}
