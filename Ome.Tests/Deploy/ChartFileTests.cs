using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ome.Tests.Manifests;
using Ome.Tests.Support;

namespace Ome.Tests.Deploy;

/// <summary>What <c>make manifests</c> writes into charts/ome; in every other run, that the committed chart still says what classes and config/ say.</summary>
[Category("Manifests")]
public sealed class ChartFileTests
{
    private const string Chart = "charts/ome";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [TestCaseSource(nameof(Generated))]
    public void The_chart_brings_the_crds_and_roles_of_the_classes(string file) => Golden.MatchFile(Texts()[file], $"{Chart}/files/{file}", Golden.CanonicalYaml);

    [TestCase("agent-scope.yaml")]
    [TestCase("model-warnings.yaml")]
    public void The_chart_brings_the_policies_of_config(string file) => Golden.MatchFile(Golden.ReadFile("config/policy/" + file), $"{Chart}/files/policy/{file}");

    [TestCaseSource(nameof(OfMonitoring))]
    public void The_chart_brings_the_scrapes_rules_and_dashboards_of_config(string file, string from) => Golden.MatchFile(Golden.ReadFile(from), $"{Chart}/files/{file}");

    [Test]
    public void The_chart_brings_nothing_else()
    {
        var root = Path.Combine(Architecture.RepositoryTests.RepositoryRoot(), Chart, "files");

        Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(root, path))
            .Should().BeEquivalentTo([.. Generated(), "policy/agent-scope.yaml", "policy/model-warnings.yaml", .. OfMonitoring().Select(pair => pair[0])]);
    }

    [Test]
    public void The_values_list_every_setting_with_the_default_config_starts_it_with()
    {
        var text = Golden.ReadFile($"{Chart}/values.yaml");
        foreach (var settings in new[] { ChartSettings.Agent(), ChartSettings.Operator() }) text = Between(text, $"    # {settings.Program} settings: begin\n", $"    # {settings.Program} settings: end\n", settings.Values());

        Golden.MatchFile(text, $"{Chart}/values.yaml");
    }

    [Test]
    public void The_schema_of_the_values_knows_every_setting_with_its_range()
    {
        var schema = JsonNode.Parse(Golden.ReadFile($"{Chart}/values.schema.json"))!.AsObject();
        schema["$defs"]!["agentSettings"] = ChartSettings.Agent().Schema();
        schema["$defs"]!["operatorSettings"] = ChartSettings.Operator().Schema();

        Golden.MatchFile(schema.ToJsonString(Indented), $"{Chart}/values.schema.json", Golden.CanonicalJson);
    }

    [Test]
    public void The_chart_has_the_version_of_the_programs()
    {
        var version = System.Xml.Linq.XDocument.Parse(Golden.ReadFile("Directory.Build.props")).Descendants("Version").Single().Value;

        Golden.ReadFile($"{Chart}/Chart.yaml").Should().Contain($"\nversion: {version}\n").And.Contain($"\nappVersion: {version}\n");
    }

    private static IEnumerable<string> Generated() => Texts().Keys;

    private static IEnumerable<string[]> OfMonitoring() =>
        new[] { "pod_monitor.yaml", "service_monitor.yaml", "prometheus_rule.yaml" }.Select(file => new[] { "monitoring/" + file, "config/monitoring/" + file })
            .Concat(new[] { "ome-fleet.json", "ome-node.json", "ome-model.json" }.Select(file => new[] { "dashboards/" + file, "config/monitoring/dashboards/" + file }));

    private static Dictionary<string, string> Texts() => ManifestTests.CrdFiles().Select(file => ($"crd/{file.Name}", file.Text))
        .Concat(RbacManifests.Files().Select(file => ($"rbac/{file.Key}", ManifestYaml.Write(file.Value))))
        .Concat(RbacManifests.SecretFiles().Select(file => ($"agent-secrets/{file.Key}", ManifestYaml.Write(file.Value))))
        .ToDictionary();

    private static string Between(string text, string begin, string end, string lines)
    {
        var from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        var to = text.IndexOf(end, StringComparison.Ordinal);
        return text[..from] + lines + text[to..];
    }
}
