using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Domain.Verification;

public sealed class WithdrawalBrakeTests
{
    private static readonly DateTimeOffset Now = new(2026, 8, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Window = TimeSpan.FromHours(1);

    [TestCase("", "none")]
    [TestCase("0", "none")]
    [TestCase("none", "none")]
    [TestCase("2", "2")]
    [TestCase(" 10% ", "10%")]
    [TestCase("2,10%", "2,10%")]
    [TestCase("10%, 2", "2,10%")]
    public void A_limit_is_read_and_said(string text, string said)
    {
        WithdrawalLimit.TryParse(text, out var limit).Should().BeTrue();
        limit!.ToString().Should().Be(said);
        limit.IsOff.Should().Be(said == "none");
    }

    [TestCase("-1")]
    [TestCase("0%")]
    [TestCase("101%")]
    [TestCase("2,3")]
    [TestCase("1%,2%")]
    [TestCase("2,")]
    [TestCase("a few")]
    [TestCase("1.5%")]
    public void What_is_no_limit_is_refused(string text) => WithdrawalLimit.TryParse(text, out _).Should().BeFalse();

    // r: ready; w: withdrawn within the window; o: withdrawn before it; c: asks now; s: asked long ago and went away.
    [TestCase("none", "wwwwwwww", false, TestName = "Off_holds_nothing")]
    [TestCase("1", "rrr", false, TestName = "The_first_withdrawal_goes")]
    [TestCase("1", "wrr", true, TestName = "The_second_of_one_is_held")]
    [TestCase("2", "wrr", false, TestName = "The_second_of_two_goes")]
    [TestCase("2", "oorr", false, TestName = "Who_lost_it_before_the_window_does_not_count")]
    [TestCase("1", "crr", true, TestName = "Who_asks_at_the_same_time_counts")]
    [TestCase("1", "srr", false, TestName = "Who_asked_and_went_away_does_not")]
    [TestCase("50%", "wrr", false, TestName = "Half_of_four_may_go")]
    [TestCase("50%", "wwr", true, TestName = "More_than_half_may_not")]
    [TestCase("10%", "", false, TestName = "Of_a_single_node_one_may_go")]
    [TestCase("10%", "w", true, TestName = "A_share_of_few_nodes_is_one")]
    [TestCase("10%", "wrrrrrrrrrrrrrrrrrr", false, TestName = "Ten_percent_of_twenty_are_two")]
    [TestCase("10%", "wwrrrrrrrrrrrrrrrrr", true, TestName = "A_third_is_held")]
    [TestCase("1,50%", "wrrrrrrr", true, TestName = "Of_both_limits_the_smaller_counts")]
    [TestCase("5,10%", "wrrrrrrr", true, TestName = "Of_both_limits_the_smaller_counts_as_a_share")]
    [TestCase("50%", "ooor", false, TestName = "Who_lost_it_long_ago_is_no_part_of_the_whole")]
    public void A_withdrawal_goes_or_is_held(string limit, string others, bool held) => Judge(limit, others).IsHeld.Should().Be(held);

    [Test]
    public void A_held_node_is_told_when_the_oldest_withdrawal_leaves_the_window() => Judge("1", "wr").Again.Should().Be(TimeSpan.FromMinutes(50));

    [Test]
    public void A_node_held_by_claims_asks_again_soon() => Judge("1", "cr").Again.Should().Be(WithdrawalBrake.ClaimRetry);

    [Test]
    public void What_the_fleet_says_of_the_asking_node_itself_changes_nothing() =>
        WithdrawalBrake.Judge(Limit("1"), Window, "self", [new FleetNode("self", FleetState.Withdrawn, Now)], Now).IsHeld.Should().BeFalse();

    private static BrakeRuling Judge(string limit, string others) => WithdrawalBrake.Judge(Limit(limit), Window, "self", others.Select(Node), Now);

    private static FleetNode Node(char kind, int index) => kind switch
    {
        'w' => new FleetNode($"n{index}", FleetState.Withdrawn, Now - TimeSpan.FromMinutes(10)),
        'o' => new FleetNode($"n{index}", FleetState.Withdrawn, Now - TimeSpan.FromHours(2)),
        'c' => new FleetNode($"n{index}", FleetState.Claiming, Now - TimeSpan.FromSeconds(2)),
        's' => new FleetNode($"n{index}", FleetState.Claiming, Now - TimeSpan.FromMinutes(20)),
        _ => new FleetNode($"n{index}", FleetState.Ready, DateTimeOffset.MinValue),
    };

    private static WithdrawalLimit Limit(string text) => WithdrawalLimit.TryParse(text, out var limit) ? limit : throw new ArgumentException($"'{text}' is no limit", nameof(text));
}
