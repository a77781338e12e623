using System.Text.Json;
using Ome.Shared.Domain.Artifacts;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Artifacts;

/// <summary>Choice of a parent and its list of children: the pure rows of contract 10.4.</summary>
public sealed class ArtifactLinksTests
{
    private const string Table = "contract/artifacts.json";
    private const string Sha = "0e9e39f249a16976918f6564b8830bc894c89659";

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "find" })]
    public void Find(JsonElement row)
    {
        ModelKey.TryParseDataKey(row.Text("own")!, out var own).Should().BeTrue();
        var report = NodeReport.Read("node", row.GetProperty("entries").EnumerateObject().Select(static entry => KeyValuePair.Create(entry.Name, TextOf(entry.Value))));

        var parent = ArtifactLinks.FindParents(report, own!, row.Text("sha") ?? Sha, "org/model").FirstOrDefault();

        parent?.ParentKey.Should().Be(row.Text("want"));
        (parent is null).Should().Be(row.Text("want") is null);
        if (row.Text("path") is { } path) parent!.ParentPath.Should().Be(path);
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "add" })]
    public void Add(JsonElement row) => Children(ArtifactLinks.AddChild(Decode(row), row.Text("path")!)).Should().Equal(row.Texts("want"));

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "remove" })]
    public void Remove(JsonElement row) => Children(ArtifactLinks.RemoveChild(Decode(row), row.Text("path")!)).Should().NotBeNull().And.Equal(row.Texts("want"));

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "policy" })]
    public void Policy(JsonElement row)
    {
        StorageUri.TryParse(row.Text("uri")!, out var uri, out _).Should().BeTrue();
        static DownloadPolicy Of(string? text) => text is null ? default : Enum.Parse<DownloadPolicy>(text);

        ArtifactLinks.PolicyChangeMatters(uri!, Of(row.Text("before")), Of(row.Text("after"))).Should().Be(row.GetProperty("want").GetBoolean());
    }

    [TestCase("Updating")]
    [TestCase("Failed")]
    public void W16_a_model_that_is_not_ready_is_no_parent(string status) => Parents(Entry.Replace("Ready", status, StringComparison.Ordinal)).Should().BeEmpty();

    [TestCase("hf://org/model", true)]
    [TestCase("hf://Org/Model@main", true)]
    [TestCase("hf://org/other", false)]
    [TestCase("oci://b/p", false)]
    public void W16_an_entry_that_names_its_source_must_hold_the_same_repository(string uri, bool found) =>
        Parents(Entry.Replace("\"status\"", $"\"storageUri\":\"{uri}\",\"status\"", StringComparison.Ordinal)).Any().Should().Be(found);

    private const string Entry =
        $$$$"""{"name":"p","status":"Ready","config":{"artifact":{"sha":"{{{{Sha}}}}","parentPath":{"clusterbasemodel.p":"/m/p"},"childrenPaths":[]}}}""";

    private static IEnumerable<ArtifactParent> Parents(string entry) =>
        ArtifactLinks.FindParents(NodeReport.Read("node", [KeyValuePair.Create("clusterbasemodel.p", entry)]), ModelKey.Cluster("me"), Sha, "org/model");

    private static NodeModelEntry Decode(JsonElement row)
    {
        NodeReportCodec.TryDecode(TextOf(row.GetProperty("entry")), out var entry, out var error).Should().BeTrue(error);
        return entry!;
    }

    private static string TextOf(JsonElement entry) => entry.ValueKind == JsonValueKind.String ? entry.GetString()! : entry.GetRawText();

    private static IReadOnlyList<string>? Children(NodeModelEntry entry) => entry.Config!.Artifact.ChildrenPaths;
}
