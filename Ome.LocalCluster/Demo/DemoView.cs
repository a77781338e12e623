using System.Diagnostics;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Ome.LocalCluster.Demo;

/// <summary>What can be seen of the system from outside: the API's objects and the agents' metrics.</summary>
internal sealed class DemoView(DemoWorld world)
{
    private static readonly HttpClient Http = new();

    public async Task<string?> LabelAsync(DemoNode node, string model, CancellationToken cancellationToken) =>
        (string?)(await world.Api.GetAsync("/api/v1/nodes/" + node.Name, cancellationToken))?["metadata"]?["labels"]?["models.ome.io/clusterbasemodel." + model];

    public async Task<JsonNode?> EntryAsync(DemoNode node, string model, CancellationToken cancellationToken)
    {
        var map = await world.Api.GetAsync($"/api/v1/namespaces/{DemoWorld.Namespace}/configmaps/{node.Name}", cancellationToken);
        return (string?)map?["data"]?["clusterbasemodel." + model] is { } text ? JsonNode.Parse(text) : null;
    }

    public async Task<string> StoragePathAsync(DemoNode node, string model, CancellationToken cancellationToken) =>
        (string?)(await EntryAsync(node, model, cancellationToken))?["storagePath"] ?? throw new DemoFailedException($"the entry of {model} on {node.Name} names no storagePath");

    public Task<JsonObject?> CheckAsync(DemoNode node, string model, CancellationToken cancellationToken) =>
        world.Api.GetAsync($"/apis/ome.io/v1beta1/modelintegritychecks/{node.Name}.clusterbasemodel.{model}", cancellationToken);

    public async Task<IReadOnlyList<string>> NodesAsync(string model, string list, CancellationToken cancellationToken)
    {
        var found = await world.Api.GetAsync("/apis/ome.io/v1beta1/clusterbasemodels/" + model, cancellationToken);
        return found?["status"]?[list] is JsonArray names ? [.. names.Select(name => (string)name!)] : [];
    }

    public async Task<bool> ConditionIsAsync(string model, string type, string status, string reason, string[] inMessage, CancellationToken cancellationToken)
    {
        var found = await world.Api.GetAsync("/apis/ome.io/v1beta1/clusterbasemodels/" + model, cancellationToken);
        return found?["status"]?["conditions"] is JsonArray conditions && conditions.Any(condition =>
            (string?)condition?["type"] == type && (string?)condition["status"] == status && (string?)condition["reason"] == reason
            && inMessage.All(text => ((string?)condition["message"])?.Contains(text, StringComparison.Ordinal) == true));
    }

    /// <summary>The cells of the row that <c>kubectl get clusterbasemodel</c> prints, by column.</summary>
    public async Task<IReadOnlyDictionary<string, string>> RowAsync(string model, CancellationToken cancellationToken)
    {
        var table = await world.Api.TableAsync("/apis/ome.io/v1beta1/clusterbasemodels/" + model, cancellationToken);
        var cells = table["rows"]?[0]?["cells"]?.AsArray() ?? [];
        return table["columnDefinitions"]!.AsArray().Zip(cells).ToDictionary(static pair => (string)pair.First!["name"]!, static pair => pair.Second?.ToString() ?? string.Empty, StringComparer.Ordinal);
    }

    /// <summary>How often an Event of this reason and wording was sent for the model; a repetition raises a count.</summary>
    public async Task<int> EventsAsync(string model, string reason, string inMessage, CancellationToken cancellationToken)
    {
        var events = await world.Api.GetAsync("/api/v1/events", cancellationToken);
        return (events?["items"] as JsonArray ?? [])
            .Where(item => (string?)item?["reason"] == reason && (string?)item["involvedObject"]?["name"] == model && ((string?)item["message"])?.Contains(inMessage, StringComparison.Ordinal) == true)
            .Sum(item => (int?)item!["count"] ?? 1);
    }

    public static async Task<bool> MetricIsAsync(DemoNode node, string metric, string model, string value, CancellationToken cancellationToken)
    {
        var text = await Http.GetStringAsync(new Uri($"http://127.0.0.1:{node.Port}/metrics"), cancellationToken);
        return text.Split('\n').Any(line => line.StartsWith(metric + "{", StringComparison.Ordinal) && line.Contains($"name=\"{model}\"", StringComparison.Ordinal) && line.EndsWith(" " + value, StringComparison.Ordinal));
    }

    public async Task PrintTablesAsync(CancellationToken cancellationToken)
    {
        await KubectlAsync(["get", "clusterbasemodels,basemodels", "-A", "-o", "wide"], cancellationToken);
        await KubectlAsync(["get", "mic"], cancellationToken);
    }

    public async Task PrintDamageAsync(DemoNode node, string model, CancellationToken cancellationToken)
    {
        await KubectlAsync(["get", "clusterbasemodel", model], cancellationToken);
        await KubectlAsync(["get", "mic", $"{node.Name}.clusterbasemodel.{model}"], cancellationToken);
        AnsiConsole.WriteLine("  " + (string?)(await CheckAsync(node, model, cancellationToken))?["status"]?["message"]);
    }

    /// <summary>Real kubectl where there is one; without it the step says so and the demo goes on.</summary>
    private async Task KubectlAsync(string[] arguments, CancellationToken cancellationToken)
    {
        AnsiConsole.MarkupLineInterpolated($"[dim]$ kubectl {string.Join(' ', arguments)}[/]");
        try
        {
            using var kubectl = Process.Start(new ProcessStartInfo("kubectl", [.. arguments, .. world.Cluster.Kubectl]) { RedirectStandardOutput = true, UseShellExecute = false })!;
            Console.Write(await kubectl.StandardOutput.ReadToEndAsync(cancellationToken));
            await kubectl.WaitForExitAsync(cancellationToken);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            AnsiConsole.WriteLine("  kubectl is not installed here; the objects are in the API all the same.");
        }
    }
}
