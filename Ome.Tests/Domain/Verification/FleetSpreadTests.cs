using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Domain.Verification;

public sealed class FleetSpreadTests
{
    [Test]
    public void A_thousand_nodes_that_restart_together_do_not_check_together()
    {
        // 20,000 checks of 10 s each, spread over 5 minutes: on average 667 run at once.
        var window = TimeSpan.FromMinutes(5);
        var running = new int[311];
        for (var node = 0; node < 1000; node++)
        {
            for (var model = 0; model < 20; model++)
            {
                var start = (int)FleetSpread.StartPhase(FleetSpread.Seed($"node-{node}", $"model-{model}"), window).TotalSeconds;
                for (var second = start; second < start + 10; second++) running[second]++;
            }
        }

        running.Max().Should().BeLessThan(2 * 667);
        running[10..300].Min().Should().BeGreaterThan(667 / 2);
    }

    [Test]
    public void The_phase_is_the_same_after_a_restart() =>
        FleetSpread.StartPhase(FleetSpread.Seed("node-1", "llama"), TimeSpan.FromMinutes(5)).Should().Be(TimeSpan.FromMicroseconds(47_103_962.7));

    [Test]
    public void Pieces_are_due_between_eight_and_nine_tenths_of_the_age()
    {
        var shares = Enumerable.Range(0, 10_000).Select(piece => FleetSpread.DueShare(7, (ulong)piece)).ToList();

        shares.Min().Should().BeGreaterThanOrEqualTo(0.8);
        shares.Max().Should().BeLessThanOrEqualTo(0.9);
        shares.Average().Should().BeApproximately(0.85, 0.003);
    }
}
