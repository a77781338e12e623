using Ome.Shared.Domain.Artifacts;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Tests.Domain.Artifacts;

/// <summary>Choice of a parent and its list of children: the pure rows of contract 10.4.</summary>
public sealed class ArtifactLinksTests
{
    private const string Sha = "0e9e39f249a16976918f6564b8830bc894c89659";
    private static readonly ModelKey Me = ModelKey.Cluster("me");

    [Test]
    public void A02_an_entry_that_is_its_own_parent_is_the_parent() =>
        Find(Me, ("clusterbasemodel.p", Entry("clusterbasemodel.p", "/m/p"))).Should().Be(new ArtifactParent("clusterbasemodel.p", "/m/p", "clusterbasemodel.p"));

    [TestCase("clusterbasemodel.me")]
    [TestCase("ClusterBaseModel.ME")]
    public void A03_the_own_key_is_no_parent_in_any_letter_case(string parent) =>
        Find(Me, ("clusterbasemodel.me", Entry(parent, "/m/me"))).Should().BeNull();

    [Test]
    public void A04_a_child_leads_to_its_parent() =>
        Find(Me, ("clusterbasemodel.c", Entry("clusterbasemodel.p", "/m/p"))).Should().Be(new ArtifactParent("clusterbasemodel.p", "/m/p", "clusterbasemodel.c"));

    [Test]
    public void A05_the_one_with_more_children_wins() => Find(
        Me, ("clusterbasemodel.a", Entry("clusterbasemodel.a", "/m/a", "\"/1\"")), ("clusterbasemodel.b", Entry("clusterbasemodel.b", "/m/b", "\"/1\",\"/2\",\"/3\"")))!
        .ParentKey.Should().Be("clusterbasemodel.b");

    [Test]
    public void A06_cluster_models_win_then_the_own_namespace_and_no_other_ever()
    {
        var own = ModelKey.Namespaced("ns", "me");
        var inCluster = ("clusterbasemodel.p", Entry("clusterbasemodel.p", "/m/p"));
        var inOwn = ("ns.basemodel.p", Entry("ns.basemodel.p", "/m/n", "\"/1\",\"/2\""));
        var inOther = ("other.basemodel.p", Entry("other.basemodel.p", "/m/o"));

        Find(own, inOwn, inOther, inCluster)!.ParentKey.Should().Be("clusterbasemodel.p");
        Find(own, inOwn, inOther)!.ParentKey.Should().Be("ns.basemodel.p");
        Find(own, inOther).Should().BeNull();
    }

    [Test]
    public void A07_a_cluster_model_never_links_into_a_namespace() => Find(Me, ("ns.basemodel.p", Entry("ns.basemodel.p", "/m/p"))).Should().BeNull();

    [TestCase("")]
    [TestCase("1111111111111111111111111111111111111111")]
    public void A08_without_the_same_commit_there_is_no_parent(string sha) =>
        ArtifactLinks.FindParents(Report(("clusterbasemodel.p", Entry("clusterbasemodel.p", "/m/p"))), Me, sha, "org/model").Should().BeEmpty();

    [TestCase("""{"name":"p","status":"Ready","config":{"artifact":{"sha":"SHA","parentPath":7,"childrenPaths":[]}}}""")]
    [TestCase("""{"name":"p","status":"Ready","config":{"artifact":{"sha":"SHA","parentPath":{"a":"/1","b":"/2"},"childrenPaths":[]}}}""")]
    [TestCase("""{"name":"p","status":"Ready","config":{"artifact":{"sha":"SHA","parentPath":null}}}""")]
    [TestCase("not json")]
    [TestCase("[]")]
    public void A09_an_entry_without_exactly_one_parent_is_skipped(string bad) => Find(
        Me, ("clusterbasemodel.a", bad.Replace("SHA", Sha, StringComparison.Ordinal)), ("clusterbasemodel.p", Entry("clusterbasemodel.p", "/m/p")))!
        .ParentKey.Should().Be("clusterbasemodel.p");

    [TestCase("Updating")]
    [TestCase("Failed")]
    public void W16_a_model_that_is_not_ready_is_no_parent(string status) =>
        Find(Me, ("clusterbasemodel.p", Entry("clusterbasemodel.p", "/m/p").Replace("Ready", status, StringComparison.Ordinal))).Should().BeNull();

    [TestCase("hf://org/model", true)]
    [TestCase("hf://Org/Model@main", true)]
    [TestCase("hf://org/other", false)]
    [TestCase("oci://b/p", false)]
    public void W16_an_entry_that_names_its_source_must_hold_the_same_repository(string uri, bool found) =>
        (Find(Me, ("clusterbasemodel.p", Entry("clusterbasemodel.p", "/m/p").Replace("\"status\"", $"\"storageUri\":\"{uri}\",\"status\"", StringComparison.Ordinal))) is not null)
            .Should().Be(found);

    [Test]
    public void A10_a_child_is_added_once_in_any_letter_case()
    {
        var parent = Decode(Entry("clusterbasemodel.p", "/m/p", "\"/p1\""));

        var added = ArtifactLinks.AddChild(parent, "/p2");

        Children(added).Should().Equal("/p1", "/p2");
        ArtifactLinks.AddChild(added, "/p2").Should().BeSameAs(added);
        ArtifactLinks.AddChild(added, "/P2").Should().BeSameAs(added);
    }

    [TestCase("""{"name":"p","status":"Ready"}""")]
    [TestCase("""{"name":"p","status":"Ready","config":{"modelType":"llama"}}""")]
    [TestCase("""{"name":"p","status":"Ready","config":{"artifact":{"sha":"x"}}}""")]
    [TestCase("""{"name":"p","status":"Ready","config":{"artifact":{"sha":"x","childrenPaths":"/p1"}}}""")]
    public void A11_a_missing_or_wrong_list_is_made(string entry) => Children(ArtifactLinks.AddChild(Decode(entry), "/p2")).Should().Equal("/p2");

    [TestCase("[\"/p1\"]")]
    [TestCase("null")]
    [TestCase("\"/p1\"")]
    public void A14_removing_leaves_an_array(string list)
    {
        var parent = Decode($$$$"""{"name":"p","status":"Ready","config":{"artifact":{"sha":"x","childrenPaths":{{{{list}}}}}}}""");

        Children(ArtifactLinks.RemoveChild(parent, "/p1")).Should().NotBeNull().And.BeEmpty();
    }

    [TestCase("hf://org/model", DownloadPolicy.AlwaysDownload, DownloadPolicy.ReuseIfExists, true)]
    [TestCase("oci://bucket/prefix", DownloadPolicy.AlwaysDownload, DownloadPolicy.ReuseIfExists, false)]
    [TestCase("hf://org/model", default(DownloadPolicy), DownloadPolicy.AlwaysDownload, false)]
    public void A15_a_change_of_policy_matters_for_the_hub_only(string uri, DownloadPolicy before, DownloadPolicy after, bool matters)
    {
        StorageUri.TryParse(uri, out var parsed, out _).Should().BeTrue();
        ArtifactLinks.PolicyChangeMatters(parsed!, before, after).Should().Be(matters);
    }

    private static ArtifactParent? Find(ModelKey own, params (string Key, string Entry)[] entries) =>
        ArtifactLinks.FindParents(Report(entries), own, Sha, "org/model").FirstOrDefault();

    private static NodeReport Report(params (string Key, string Entry)[] entries) =>
        NodeReport.Read("node", entries.Select(entry => KeyValuePair.Create(entry.Key, entry.Entry)));

    private static string Entry(string parentKey, string parentPath, string children = "") =>
        $$$$"""{"name":"p","status":"Ready","config":{"artifact":{"sha":"{{{{Sha}}}}","parentPath":{"{{{{parentKey}}}}":"{{{{parentPath}}}}"},"childrenPaths":[{{{{children}}}}]}}}""";

    private static NodeModelEntry Decode(string text) =>
        NodeReportCodec.TryDecode(text, out var entry, out var error) ? entry : throw new ArgumentException(error, nameof(text));

    private static IReadOnlyList<string>? Children(NodeModelEntry entry) => entry.Config!.Artifact.ChildrenPaths;
}
