using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Verification;

/// <summary>Clocks that were set, jumped or slept (integrity reference F.13): no storm beyond the budget, no standstill, no proof from the future.</summary>
public sealed class TimeSkewTests
{
    private const long Chunk = 64;
    private const ulong Seed = 7;

    private static readonly VerificationPolicy Policy = new() { DeepMaxAge = TimeSpan.FromHours(24), Interval = TimeSpan.FromMinutes(10) };

    private static readonly ManifestDocument Document = GivenManifest.Document([GivenManifest.Entry("weights", 1000 * Chunk, Chunk)], Chunk);

    [TestCase(121, LookReason.Unproven)]
    [TestCase(119, null)]
    [TestCase(0, null)]
    public void A_proof_more_than_two_hours_ahead_proves_nothing(int minutesAhead, LookReason? reason)
    {
        var ledger = VerificationLedger.ProvenAt(Document, GivenManifest.Born.AddMinutes(minutesAhead));
        ledger.LastCheckAt = GivenManifest.Born;

        var plan = VerificationPlanner.Plan(ledger, Policy, CheckScope.Scheduled, GivenManifest.Born, Seed);

        plan.Looks.Select(look => (LookReason?)look.Reason).DefaultIfEmpty(null).Single().Should().Be(reason);
        ledger.OldestProof(GivenManifest.Born).Should().Be(reason is null ? GivenManifest.Born : DateTimeOffset.UnixEpoch);
    }

    [Test]
    public void A_jump_of_ten_years_reads_no_more_than_the_budget_in_one_pass_and_everything_in_time([Values(-3650, 3650)] int days)
    {
        const long Budget = 50 * Chunk;
        var ledger = VerificationLedger.ProvenAt(Document, GivenManifest.Born);
        var now = GivenManifest.Born.AddDays(days);
        var passes = 0;
        while (now - ledger.OldestProof(now) > Policy.DeepMaxAge)
        {
            now += Policy.Interval;
            var plan = VerificationPlanner.Plan(ledger, Policy, CheckScope.Scheduled, now, Seed, Budget);
            plan.Bytes.Should().BePositive("nothing stands still").And.BeLessThanOrEqualTo(Budget, "nothing storms");
            foreach (var chunk in plan.Looks.SelectMany(look => look.Chunks)) ledger.Prove(0, chunk, now, ReadRoute.Direct);
            ledger.LastCheckAt = now;
            passes++;
        }

        passes.Should().Be(1000 / 50, "each pass reads what no pass before it read");
    }

    [Test]
    public void A_machine_that_slept_reads_two_intervals_worth_ahead_at_most()
    {
        var ledger = VerificationLedger.ProvenAt(Document, GivenManifest.Born);
        ledger.LastCheckAt = GivenManifest.Born;
        // Too short a sleep for anything to be due: only the even share may grow.
        var now = GivenManifest.Born.AddHours(12);

        var plan = VerificationPlanner.Plan(ledger, Policy, CheckScope.Scheduled, now, Seed);

        var pace = Document.Manifest.TotalBytes * (2 * Policy.Interval / (VerificationPolicy.ScheduledShare * Policy.DeepMaxAge));
        plan.Bytes.Should().BeInRange((long)pace - Chunk, (long)pace + Chunk);
    }
}
