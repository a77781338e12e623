using System.Text.Json;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Reporting;

/// <summary>Contract 10.3: what is read, what is written, what survives.</summary>
public sealed class NodeReportCodecTests
{
    private const string Table = "contract/entries.json";

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "status" })]
    public void After_a_status(JsonElement row) =>
        NodeReportCodec.Encode(NodeModelEntry.WithStatus(Entry(row), "m", NodeModelStates.FromWire(row.Text("state")))).Should().Be(row.Text("want"));

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "config" })]
    public void After_a_configuration(JsonElement row)
    {
        var config = Decode("""{"config":""" + row.Text("config") + "}").Config!;

        NodeReportCodec.Encode(NodeModelEntry.WithConfig(Entry(row), "m", config)).Should().Be(row.Text("want"));
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "progress" })]
    public void After_progress(JsonElement row)
    {
        var progress = Decode("""{"progress":""" + row.Text("progress") + "}").Progress!;

        NodeReportCodec.Encode(NodeModelEntry.WithProgress(Entry(row), "m", progress)).Should().Be(row.Text("want"));
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "read" })]
    public void Reading(JsonElement row)
    {
        var isEntry = NodeReportCodec.TryDecode(row.Text("entry"), out var entry, out var error);

        isEntry.Should().Be(!row.TryGetProperty("error", out _), error);
        if (!isEntry)
        {
            error.Should().NotBeNullOrEmpty();
            return;
        }

        entry!.Status.Should().Be(row.Text("status"));
        if (row.TryGetProperty("roundTrips", out _)) NodeReportCodec.Encode(entry).Should().Be(row.Text("entry"));
        if (row.Text("want") is { } want) NodeReportCodec.Encode(entry).Should().Be(want);
    }

    [Test]
    public void One_bad_entry_spoils_only_itself()
    {
        var report = NodeReport.Read("gpu-1", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["clusterbasemodel.good"] = """{"status":"Ready"}""",
            ["clusterbasemodel.bad"] = "{broken",
            ["unrelated"] = "kept out",
        });

        report.Entries.Keys.Should().BeEquivalentTo("clusterbasemodel.good", "clusterbasemodel.bad");
        report.Entries["clusterbasemodel.good"].Entry!.State.Should().Be(NodeModelState.Ready);
        report.Entries["clusterbasemodel.bad"].Error.Should().Contain("not an entry");
    }

    [Test]
    public void An_error_never_repeats_the_text()
    {
        NodeReportCodec.TryDecode("""{"status": secret-token}""", out _, out var error);

        error.Should().NotContain("secret");
    }

    [Test]
    public void Marks_of_a_report_carry_the_node_name_where_it_fits()
    {
        NodeReport.LabelsFor("gpu-1").Should().Equal(new Dictionary<string, string> { ["models.ome/basemodel-status"] = "true", ["node"] = "gpu-1" });
        NodeReport.LabelsFor(new string('n', 64)).Should().ContainKey("models.ome/basemodel-status").And.NotContainKey("node");
        NodeReport.AnnotationsFor("gpu-1").Should().Equal(new Dictionary<string, string>
        {
            ["models.ome.io/node-name"] = "gpu-1",
            ["models.ome.io/managed-by"] = "model-agent",
        });
    }

    [Test]
    public void A_reader_that_knows_only_the_contract_sees_exactly_its_members()
    {
        var text = NodeReportCodec.Encode(new NodeModelEntry
        {
            Name = "m",
            Status = "Ready",
            StorageUri = "hf://a/b",
            Config = new ReportedConfig { ModelType = "llama" },
            Validation = new ReportedValidation { Result = ValidationResults.Valid },
        });

        using var document = JsonDocument.Parse(text);
        var known = new[] { "name", "status", "config", "progress" };
        document.RootElement.EnumerateObject().Select(static member => member.Name).Except(known, StringComparer.Ordinal)
            .Should().BeEquivalentTo("storageUri", "validation");
    }

    private static NodeModelEntry? Entry(JsonElement row) => NodeReportCodec.TryDecode(row.Text("entry"), out var entry, out _) ? entry : null;

    private static NodeModelEntry Decode(string text) =>
        NodeReportCodec.TryDecode(text, out var entry, out var error) ? entry : throw new InvalidOperationException(error);
}
