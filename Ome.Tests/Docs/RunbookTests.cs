using Ome.Agent.Staging;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Architecture;
using Ome.Tests.Monitoring;

namespace Ome.Tests.Docs;

/// <summary>Whoever is woken finds a page: one for each alert and each reason, all of the same make, all in the index.</summary>
public sealed class RunbookTests
{
    private const string Folder = "docs/runbooks";

    private static IEnumerable<string> Needed() =>
        AlertRules.All.Select(static alert => alert.Name).Concat(Enum.GetNames<FindingReason>()).Append("StagingFailures");

    [Test]
    public void There_is_a_page_for_each_alert_and_reason_and_no_other() =>
        Directory.EnumerateFiles(Path.Combine(RepositoryTests.RepositoryRoot(), Folder)).Select(Path.GetFileNameWithoutExtension)
            .Should().BeEquivalentTo(Needed().Append("README"));

    [TestCaseSource(nameof(Needed))]
    public void A_page_says_what_to_look_at_what_happens_and_what_to_do(string name)
    {
        var page = Markdown.Read($"{Folder}/{name}.md");

        page.Prose.Should().StartWith($"# {name}\n");
        page.Anchors.Should().BeEquivalentTo(name.ToLowerInvariant(), "look", "by-itself", "do");
    }

    [Test]
    public void The_index_leads_to_every_page() =>
        Markdown.Read($"{Folder}/README.md").Links.Should().Contain(Needed().Select(static name => name + ".md"));

    [Test]
    public void The_index_sorts_reasons_as_the_code_does()
    {
        var index = Markdown.Read($"{Folder}/README.md").Prose;
        var (damage, unsure) = (index.IndexOf("Damage, confirmed", StringComparison.Ordinal), index.IndexOf("Could not verify;", StringComparison.Ordinal));

        foreach (var reason in Enum.GetValues<FindingReason>())
        {
            var place = index.IndexOf($"[{reason}]", StringComparison.Ordinal);
            (place > damage && place < unsure).Should().Be(reason.IsDamage(), "{0}", reason);
        }
    }

    [TestCaseSource(nameof(StagingReasons))]
    public void The_page_of_stagings_has_every_reason(string reason) => Markdown.Read($"{Folder}/StagingFailures.md").Prose.Should().Contain($"| `{reason}` |");

    [TestCaseSource(nameof(StagingReasons))]
    public void The_page_on_staging_has_every_reason(string reason) => Markdown.Read("docs/staging.md").CodeSpans.Should().Contain(reason);

    [TestCaseSource(nameof(Reasons))]
    public void The_page_on_verification_has_every_reason(string reason) => Markdown.Read("docs/verification.md").CodeSpans.Should().Contain(reason);

    private static string[] StagingReasons() => Enum.GetNames<StagingFailureReason>();

    private static string[] Reasons() => Enum.GetNames<FindingReason>();
}
