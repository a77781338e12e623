using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ome.Tests.Architecture;
using Ome.Tests.Support;

namespace Ome.Tests.Monitoring;

/// <summary>The Grafana dashboards: whole, and asking only for what is exported.</summary>
public sealed partial class DashboardTests
{
    private const string Folder = "config/monitoring/dashboards";

    private static IEnumerable<string> Files() =>
        Directory.EnumerateFiles(Path.Combine(RepositoryTests.RepositoryRoot(), Folder), "*.json").Select(static file => Path.GetFileName(file)).Order(StringComparer.Ordinal);

    [Test]
    public void There_is_one_of_the_fleet_of_a_node_and_of_a_model() => Files().Should().Equal("ome-fleet.json", "ome-model.json", "ome-node.json");

    [TestCaseSource(nameof(Files))]
    public void A_dashboard_is_known_by_its_file_and_its_panels_are_told_apart(string file)
    {
        var dashboard = Read(file);

        dashboard["uid"]!.GetValue<string>().Should().Be(Path.GetFileNameWithoutExtension(file));
        Panels(dashboard).Select(static panel => panel["id"]!.GetValue<int>()).Should().OnlyHaveUniqueItems();
        Panels(dashboard).Should().OnlyContain(static panel => panel["title"]!.GetValue<string>() != "" && panel["description"]!.GetValue<string>() != "");
        Panels(dashboard).Select(static panel => panel["gridPos"]!.ToJsonString()).Should().OnlyHaveUniqueItems();
    }

    [TestCaseSource(nameof(Files))]
    public void A_dashboard_works_with_any_data_source(string file)
    {
        var dashboard = Read(file);

        Variables(dashboard).Should().Contain(static variable => variable["name"]!.GetValue<string>() == "datasource" && variable["type"]!.GetValue<string>() == "datasource");
        Panels(dashboard).Concat(Panels(dashboard).SelectMany(Targets)).Should().OnlyContain(static part => part["datasource"]!["uid"]!.GetValue<string>() == "${datasource}");
    }

    [TestCaseSource(nameof(Files))]
    public void Every_query_asks_only_for_what_is_exported(string file) => Queries(Read(file)).SelectMany(QueryTruth.Problems).Should().BeEmpty();

    [TestCaseSource(nameof(Files))]
    public void Every_variable_offers_a_label_that_is_exported(string file)
    {
        foreach (var variable in Variables(Read(file)).Where(static variable => variable["type"]!.GetValue<string>() == "query"))
        {
            var query = LabelValues().Match(variable["definition"]!.GetValue<string>());
            query.Success.Should().BeTrue();
            QueryTruth.Problems($"count by ({query.Groups["label"].Value}) ({query.Groups["query"].Value})").Should().BeEmpty();
        }
    }

    [TestCaseSource(nameof(Files))]
    public void Every_dollar_name_is_a_variable(string file)
    {
        var dashboard = Read(file);
        var known = Variables(dashboard).Select(static variable => variable["name"]!.GetValue<string>()).Append("__rate_interval").ToList();

        Queries(dashboard).SelectMany(static query => Dollar().Matches(query)).Select(static name => name.Groups["name"].Value).Distinct().Should().BeSubsetOf(known);
    }

    [TestCaseSource(nameof(Files)), CancelAfter(180_000)]
    public async Task Promtool_accepts_every_query(string file, CancellationToken cancellationToken)
    {
        using var directory = new TempDirectory();
        var rules = new JsonArray([.. Queries(Read(file)).Select(static (query, at) => new JsonObject
        {
            ["record"] = $"panel:query:{at}",
            ["expr"] = query.Replace("$__rate_interval", "5m", StringComparison.Ordinal),
        })]);
        // JSON is YAML.
        await File.WriteAllTextAsync(directory["rules.yaml"], new JsonObject { ["groups"] = new JsonArray(new JsonObject { ["name"] = "dashboard", ["rules"] = rules }) }.ToJsonString(), cancellationToken);

        await Promtool.SucceedsAsync(cancellationToken, "check", "rules", directory["rules.yaml"]);
    }

    private static JsonNode Read(string file) => JsonNode.Parse(Golden.ReadFile(Path.Combine(Folder, file)))!;

    private static List<JsonNode> Panels(JsonNode dashboard) => [.. dashboard["panels"]!.AsArray().OfType<JsonNode>()];

    private static IEnumerable<JsonNode> Targets(JsonNode panel) => panel["targets"]!.AsArray().OfType<JsonNode>();

    private static List<JsonNode> Variables(JsonNode dashboard) => [.. dashboard["templating"]!["list"]!.AsArray().OfType<JsonNode>()];

    private static List<string> Queries(JsonNode dashboard) => [.. Panels(dashboard).SelectMany(Targets).Select(static target => target["expr"]!.GetValue<string>())];

    [GeneratedRegex(@"^label_values\((?<query>.+), (?<label>\w+)\)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex LabelValues();

    [GeneratedRegex(@"\$\{?(?<name>\w+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Dollar();
}
