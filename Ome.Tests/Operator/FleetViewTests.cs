using Ome.Operator.Fleet;
using Ome.Shared.Domain.Aggregation;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Tests.Operator;

/// <summary>The fleet page: what it shows, how it is searched, that it is bounded and cannot be scripted by what nodes say.</summary>
public sealed class FleetViewTests
{
    private static readonly DateTimeOffset Now = new(2026, 8, 1, 12, 0, 0, TimeSpan.Zero);

    [Test]
    public void Every_state_has_its_cell_and_every_trouble_its_line()
    {
        var view = FleetView.Of([Model("m", ("a", "Ready", null), ("b", "Updating", null), ("c", "Failed", null), ("d", "Failed", "weights.safetensors is missing"))], null, 1);

        view.Nodes.Should().Equal("a", "b", "c", "d");
        view.Rows.Single().Cells.Should().Equal(CellState.Ready, CellState.Updating, CellState.Failed, CellState.Damaged);
        view.Problems.Select(static problem => (problem.Node, problem.State)).Should().Equal(("d", CellState.Damaged), ("c", CellState.Failed));
        var html = FleetPage.Render(view, isLeader: true, Now);
        html.Should().Contain("weights.safetensors is missing").And.Contain("1 model, 4 nodes, 2 problems, 1 of them damage; as of 12:00:00 UTC");
    }

    [TestCase("llama", 1, 2, TestName = "A search for a model keeps its nodes")]
    [TestCase("GPU-1", 2, 1, TestName = "A search for a node keeps all models, in any letter case")]
    [TestCase("nothing", 2, 0, TestName = "A search for nothing shows no node")]
    [TestCase("", 2, 2, TestName = "No search shows all")]
    public void Search(string query, int models, int nodes)
    {
        var view = FleetView.Of([Model("llama", ("gpu-1", "Ready", null), ("gpu-2", "Ready", null)), Model("mistral", ("gpu-1", "Ready", null))], query, 1);

        view.Rows.Should().HaveCount(models);
        view.Nodes.Should().HaveCount(nodes);
    }

    [Test]
    public void A_thousand_nodes_are_pages_of_bounded_size()
    {
        var nodes = Enumerable.Range(0, 1000).Select(static i => ($"gpu-{i:D4}", i % 3 == 0 ? "Failed" : "Ready", (string?)null)).ToArray();
        var aggregates = Enumerable.Range(0, 50).Select(i => Model($"model-{i:D2}", nodes)).ToList();

        var view = FleetView.Of(aggregates, null, page: 99);

        view.Page.Should().Be(4);
        view.Pages.Should().Be(4);
        view.Nodes.Should().HaveCount(250).And.HaveElementAt(0, "gpu-0750");
        view.Problems.Should().HaveCount(FleetView.MaxProblems);
        view.ProblemCount.Should().Be(334 * 50);
        FleetPage.Render(view, isLeader: true, Now).Length.Should().BeLessThan(1 << 20);
    }

    [Test]
    public void What_a_node_says_is_text_and_never_markup()
    {
        const string Attack = "</td><script>alert(1)</script>\"'";
        var html = FleetPage.Render(FleetView.Of([Model("m", ("a", "Failed", Attack))], Attack[..20], 1), isLeader: false, Now);

        html.Should().NotContain("<script>alert").And.NotContain("</td><script");
        FleetPage.Render(FleetView.Of([Model("m", ("a", "Failed", Attack))], null, 1), isLeader: false, Now).Should().Contain("&lt;script&gt;alert(1)&lt;/script&gt;").And.Contain("stands by");
    }

    internal static ModelAggregate Model(string name, params (string Node, string Status, string? Damage)[] nodes)
    {
        var key = ModelKey.Cluster(name);
        var reports = nodes.Select(node => new NodeReport(node.Node, new Dictionary<string, NodeReportItem>
        {
            [key.DataKey] = new(new NodeModelEntry
            {
                Name = name,
                Status = node.Status,
                Validation = node.Damage is null ? null : new ReportedValidation { Result = ValidationResults.Invalid, Reason = "FileMissing", Message = node.Damage },
            }, null),
        }));
        return ModelAggregator.Fold(key, new StorageIdentity("hf://a/b", null), reports, nodes.Select(static node => node.Node).ToHashSet());
    }
}
