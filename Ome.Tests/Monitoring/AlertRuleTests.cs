using Ome.Tests.Architecture;
using Ome.Tests.Support;

namespace Ome.Tests.Monitoring;

/// <summary>The alerts: promtool accepts them, each fires and stays quiet when it should, names only what is exported, and ends in a page that helps.</summary>
public sealed class AlertRuleTests
{
    private static IEnumerable<string> Names() => AlertRules.All.Select(static alert => alert.Name);

    [Test]
    public void The_alerts_are_these() => AlertRules.All.Select(static alert => alert.Name).Should().BeEquivalentTo(
        "ModelArtifactDamaged", "ModelNoReadyNode", "ModelVerificationStale", "ModelVerifierDown", "NodeModelStorageDegraded", "ModelRepairFailing",
        "ModelWithdrawalHeld", "OmeOperatorDown");

    [Test]
    public void Only_what_the_cluster_lost_is_critical()
    {
        AlertRules.All.Should().OnlyContain(static alert => alert.Severity == "warning" || alert.Severity == "critical");
        AlertRules.All.Where(static alert => alert.Severity == "critical").Select(static alert => alert.Name).Should().BeEquivalentTo("ModelNoReadyNode", "OmeOperatorDown");
    }

    [TestCaseSource(nameof(Names))]
    public void An_alert_says_what_happened_and_where_help_is(string name)
    {
        var alert = AlertRules.Of(name);

        alert.Summary.Should().NotBeNullOrEmpty();
        alert.Description.Should().NotBeNullOrEmpty();
        alert.Runbook.Should().Be($"docs/runbooks/{alert.Name}.md");
        File.Exists(Path.Combine(RepositoryTests.RepositoryRoot(), alert.Runbook!)).Should().BeTrue();
    }

    [TestCaseSource(nameof(Names))]
    public void An_alert_asks_only_for_what_is_exported(string name) => QueryTruth.Problems(AlertRules.Of(name).Expression).Should().BeEmpty();

    [TestCaseSource(nameof(Names))]
    public void An_alert_is_tested_firing_and_quiet(string name)
    {
        var cases = AlertRules.Document(AlertRules.TestsPath)["tests"]!.AsArray().SelectMany(static test => test!["alert_rule_test"]!.AsArray())
            .Where(test => test!["alertname"]!.GetValue<string>() == name).Select(static test => test!["exp_alerts"]!.AsArray().Count).ToList();

        cases.Should().Contain(static count => count > 0).And.Contain(0);
    }

    [Test, CancelAfter(180_000)]
    public async Task Promtool_accepts_the_rules(CancellationToken cancellationToken) => await Promtool.SucceedsAsync(cancellationToken, "check", "rules", AlertRules.Path);

    [Test, CancelAfter(180_000)]
    public async Task Every_alert_fires_and_stays_quiet_as_its_tests_say(CancellationToken cancellationToken) => await Promtool.SucceedsAsync(cancellationToken, "test", "rules", AlertRules.TestsPath);
}
