using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;
using Ome.LocalCluster.Tables;

namespace Ome.Tests.LocalCluster.Tables;

/// <summary>Rows as <c>kubectl get</c> shows them.</summary>
public sealed class TableRendererTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 13, 0, 0, TimeSpan.Zero);

    private static IEnumerable<TestCaseData> BuiltIn => CaseFile.Rows("Tables/built-in.json");

    [TestCaseSource(nameof(BuiltIn))]
    public void Built_in_kind(JsonObject row)
    {
        var columns = TableColumns.ForBuiltIn((string?)row["group"] ?? "", (string)row["kind"]!);

        var table = TableRenderer.Render(columns, [row["object"]!.AsObject()], null, "None", Now);

        var shown = new JsonObject();
        foreach (var (definition, cell) in table["columnDefinitions"]!.AsArray().Zip(table["rows"]![0]!["cells"]!.AsArray()))
            shown[(string)definition!["name"]! + ((int)definition["priority"]! > 0 ? " (wide)" : "")] = cell?.DeepClone();
        JsonValues.Canonical(shown).Should().Be(JsonValues.Canonical(row["cells"]));
    }

    [Test]
    public void Custom_columns_show_what_a_kube_apiserver_shows()
    {
        var recorded = CaseFile.Read("Tables/custom.json");

        var table = TableRenderer.Render(
            TableColumns.ForCustomResource(recorded["columns"]!.AsArray()), [recorded["object"]!.AsObject()], new JsonObject { ["resourceVersion"] = "7" }, null, Now);

        JsonValues.Canonical(table["rows"]![0]!["cells"]).Should().Be(JsonValues.Canonical(recorded["cells"]));
        table["metadata"]!["resourceVersion"]!.GetValue<string>().Should().Be("7");
        table["rows"]![0]!["object"]!["kind"]!.GetValue<string>().Should().Be("PartialObjectMetadata");
        table["rows"]![0]!["object"]!.AsObject().ContainsKey("spec").Should().BeFalse();
    }

    [Test]
    public void A_custom_resource_without_columns_shows_name_and_age()
    {
        var item = JsonNode.Parse("""{"metadata":{"name":"x","creationTimestamp":"2026-11-23T12:00:00Z","resourceVersion":"5"}}""")!.AsObject();

        var table = TableRenderer.Render(TableColumns.ForCustomResource(null), [item], null, "Object", Now);

        table["rows"]![0]!["cells"]!.ToJsonString().Should().Be("""["x","60m"]""");
        table["metadata"]!["resourceVersion"]!.GetValue<string>().Should().Be("5");
        JsonNode.DeepEquals(table["rows"]![0]!["object"], item).Should().BeTrue();
    }

    [Test]
    public void Later_watch_events_carry_no_definitions() =>
        TableRenderer.Render(TableColumns.ForCustomResource(null), [], null, null, Now, withDefinitions: false)["columnDefinitions"]!.AsArray().Should().BeEmpty();

    [TestCase(0, "0s")]
    [TestCase(-1, "0s")]
    [TestCase(-5, "<invalid>")]
    [TestCase(119, "119s")]
    [TestCase(120, "2m")]
    [TestCase(187, "3m7s")]
    [TestCase(599, "9m59s")]
    [TestCase(600, "10m")]
    [TestCase(10799, "179m")]
    [TestCase(10800, "3h")]
    [TestCase(12000, "3h20m")]
    [TestCase(28800, "8h")]
    [TestCase(172799, "47h")]
    [TestCase(172800, "2d")]
    [TestCase(187200, "2d4h")]
    [TestCase(691200, "8d")]
    [TestCase(63071999, "729d")]
    [TestCase(63072000, "2y")]
    [TestCase(66096000, "2y35d")]
    [TestCase(315360000, "10y")]
    public void Age(int seconds, string text) => Ages.Human(TimeSpan.FromSeconds(seconds)).Should().Be(text);
}
