using System.Text.Json;
using Ome.Shared.Domain.Aggregation;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Aggregation;

/// <summary>Contract 10.7, the parts that are pure: folding, filling, releasing, waking. ContractStatusTests folds the same rows on a cluster.</summary>
public sealed class ModelAggregatorTests
{
    private const string Table = "contract/controller.json";
    private static readonly ModelKey Model = ModelKey.Cluster("m");
    private static readonly StorageIdentity Wanted = new("hf://org/m", "/mnt/models/m");

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "fold" })]
    public void Fold(JsonElement row)
    {
        var live = row.Texts("live").ToHashSet(StringComparer.Ordinal);
        var entries = row.GetProperty("entries").EnumerateObject().ToDictionary(
            static entry => entry.Name,
            static entry => entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : entry.Value.GetRawText());
        var reports = entries.Select(static entry => NodeReport.Read(entry.Key, Data(entry.Value))).ToList();
        var incremental = new ReportFold();
        incremental.SetModel(Model, Wanted);
        foreach (var (node, text) in entries) incremental.SetReport(node, Data(text), []);
        foreach (var node in live) incremental.SetNode(node, isLive: true, []);

        foreach (var aggregate in new[] { ModelAggregator.Fold(Model, Wanted, reports, live), incremental.Aggregate(Model)! })
        {
            aggregate.State.ToString().Should().Be(row.Text("state"));
            aggregate.NodesReady.Should().Equal(row.Texts("ready"));
            aggregate.NodesFailed.Should().Equal(row.Texts("failed"));
            if (row.TryGetProperty("released", out var released)) aggregate.IsReleased.Should().Be(released.GetBoolean());
        }
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "fill" })]
    public void Fill(JsonElement row)
    {
        var current = row.GetProperty("spec").Deserialize<SpecFacts>()!;
        NodeReportCodec.TryDecode("""{"config":""" + row.GetProperty("config").GetRawText() + "}", out var entry, out _);

        var plan = SpecFill.Plan(current, SpecFacts.Of(entry!.Config));

        plan.Should().Be(row.GetProperty("want").Deserialize<SpecFacts>());
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "wakes" })]
    public void Wakes(JsonElement row)
    {
        var fold = new ReportFold();
        fold.SetNode("a", isLive: true, []);
        var changed = new List<ModelKey>();

        fold.SetReport("a", row.GetProperty("data").Deserialize<Dictionary<string, string>>(), changed);

        changed.Select(static model => model.ToString()).Should().BeEquivalentTo(row.Texts("want"));
    }

    [Test]
    public void A_progress_tick_wakes_nobody()
    {
        var fold = new ReportFold();
        fold.SetModel(Model, Wanted);
        fold.SetNode("a", isLive: true, []);
        fold.SetReport("a", Data("""{"name":"m","status":"Updating","progress":{"phase":"downloading","completedBytes":1}}"""), []);
        var changed = new List<ModelKey>();

        fold.SetReport("a", Data("""{"name":"m","status":"Updating","progress":{"phase":"downloading","completedBytes":2}}"""), changed);

        changed.Should().BeEmpty();
    }

    [Test]
    public void Only_the_model_that_changed_is_woken()
    {
        var fold = new ReportFold();
        fold.SetNode("a", isLive: true, []);
        fold.SetReport("a", Two("""{"status":"Ready"}""", """{"status":"Ready"}"""), []);
        var changed = new List<ModelKey>();

        fold.SetReport("a", Two("""{"status":"Ready"}""", """{"status":"Failed"}"""), changed);

        changed.Should().Equal(ModelKey.Cluster("n"));
        static Dictionary<string, string> Two(string m, string n) => new(StringComparer.Ordinal) { ["clusterbasemodel.m"] = m, ["clusterbasemodel.n"] = n };
    }

    [Test]
    public void A_change_on_a_node_that_is_gone_wakes_nobody_until_it_is_back()
    {
        var fold = new ReportFold();
        fold.SetModel(Model, Wanted);
        var changed = new List<ModelKey>();
        fold.SetReport("a", Data("""{"status":"Ready"}"""), changed);
        changed.Should().BeEmpty();
        fold.NodesGone.Should().Equal("a");

        fold.SetNode("a", isLive: true, changed);

        changed.Should().Equal(Model);
        fold.Aggregate(Model)!.NodesReady.Should().Equal("a");
        fold.NodesGone.Should().BeEmpty();
    }

    [Test]
    public void A_changed_source_makes_earlier_reports_stale()
    {
        var fold = new ReportFold();
        fold.SetModel(Model, Wanted).Should().BeTrue();
        fold.SetModel(Model, Wanted).Should().BeFalse();
        fold.SetNode("a", isLive: true, []);
        fold.SetReport("a", Data("""{"status":"Ready","storageUri":"hf://org/m"}"""), []);

        fold.SetModel(Model, Wanted with { Uri = "hf://org/m@v2" }).Should().BeTrue();

        var aggregate = fold.Aggregate(Model)!;
        aggregate.State.Should().Be(ModelState.InTransit);
        aggregate.NodesStale.Should().Equal("a");
        aggregate.NodeSummary.Should().Be("0/1");
    }

    [Test]
    public void Two_models_under_one_key_get_their_own_entries()
    {
        var cluster = ModelKey.Cluster("basemodel.m");
        var namespaced = ModelKey.Namespaced("clusterbasemodel", "m");
        var fold = new ReportFold();
        fold.SetModel(cluster, new StorageIdentity("hf://a/b", null));
        fold.SetModel(namespaced, new StorageIdentity("hf://a/b", null));
        fold.SetNode("a", isLive: true, []);

        fold.SetReport("a", new Dictionary<string, string> { [cluster.DataKey] = """{"name":"m","status":"Ready"}""" }, []);

        fold.Aggregate(namespaced)!.State.Should().Be(ModelState.Ready);
        fold.Aggregate(cluster)!.State.Should().Be(ModelState.InTransit);
    }

    [Test]
    public void The_oldest_proof_is_that_of_the_ready_node_that_waited_longest()
    {
        var aggregate = Aggregate(
            ("a", """{"status":"Ready","validation":{"result":"Valid","oldestProofTime":"2026-08-02T00:00:00Z"}}"""),
            ("b", """{"status":"Ready","validation":{"result":"Valid","oldestProofTime":"2026-08-01T00:00:00Z"}}"""),
            ("c", """{"status":"Failed","validation":{"result":"Invalid","oldestProofTime":"2026-07-01T00:00:00Z"}}"""));

        aggregate.OldestProof.Should().Be(new DateTimeOffset(2026, 8, 1, 0, 0, 0, TimeSpan.Zero));
    }

    internal static ModelAggregate Aggregate(params (string Node, string Entry)[] entries) => ModelAggregator.Fold(
        Model, Wanted, entries.Select(static entry => NodeReport.Read(entry.Node, Data(entry.Entry))), entries.Select(static entry => entry.Node).ToHashSet(StringComparer.Ordinal));

    private static Dictionary<string, string> Data(string entry) => new(StringComparer.Ordinal) { ["clusterbasemodel.m"] = entry };
}
