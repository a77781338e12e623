using System.Text.Json.Nodes;
using Ome.Tests.Support;

namespace Ome.Tests.Monitoring;

/// <summary>One alert of config/monitoring/rules/ome.yaml.</summary>
internal sealed record Alert(string Name, string Expression, string? Severity, string? Summary, string? Description, string? Runbook);

/// <summary>The alerting rules as they are committed.</summary>
internal static class AlertRules
{
    public const string Path = "config/monitoring/rules/ome.yaml";
    public const string TestsPath = "config/monitoring/rules/ome.tests.yaml";

    public static IReadOnlyList<Alert> All { get; } =
        [.. Document(Path)["groups"]!.AsArray().SelectMany(static group => group!["rules"]!.AsArray()).Select(static rule => new Alert(
            Text(rule!["alert"])!, Text(rule["expr"])!, Text(rule["labels"]?["severity"]),
            Text(rule["annotations"]?["summary"]), Text(rule["annotations"]?["description"]), Text(rule["annotations"]?["runbook_url"])))];

    public static Alert Of(string name) => All.Single(alert => alert.Name == name);

    public static JsonNode Document(string path) => JsonNode.Parse(Golden.CanonicalYaml(Golden.ReadFile(path)))![0]!;

    private static string? Text(JsonNode? node) => node?.GetValue<string>();
}
