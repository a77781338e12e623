using Ome.Agent.Models;
using Ome.Agent.Publishing;

namespace Ome.Agent.Hosting;

/// <summary>
/// <c>/livez</c>: the process answers. <c>/healthz</c>: the models root is there (a read-only root is healthy: then nothing is staged, but everything is
/// checked). <c>/readyz</c>: models and node were listed. <c>/metrics</c>: Prometheus. <c>?verbose</c> names each check (contract 8.2).
/// </summary>
public static class AgentEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/livez", static (HttpRequest request) => Answer(request, ("ping", null)));
        endpoints.MapGet("/livez/ping", static (HttpRequest request) => Answer(request, ("ping", null)));
        endpoints.MapGet("/healthz", static (HttpRequest request, AgentOptions options) => Answer(request, ("model-agent-health", RootProblem(options))));
        endpoints.MapGet("/healthz/model-agent-health", static (HttpRequest request, AgentOptions options) => Answer(request, ("model-agent-health", RootProblem(options))));
        endpoints.MapGet("/readyz", static (HttpRequest request, AgentOptions options, ModelInbox inbox, ReportPublisher publisher) => Answer(
            request,
            ("model-agent-health", RootProblem(options)),
            ("models-listed", inbox.IsSynced ? null : "models, the node and its report are not listed yet: see the log for what the API server answers"),
            ("reports-written", publisher.IsFailing ? $"{publisher.Backlog} reports wait for the API server" : null)));
    }

    internal static string? RootProblem(AgentOptions options) =>
        Directory.Exists(options.ModelsRoot) ? null : $"the models root {options.ModelsRoot} is no directory: mount it at the same path, or set --models-root-dir";

    private static IResult Answer(HttpRequest request, params ReadOnlySpan<(string Name, string? Problem)> checks)
    {
        var healthy = true;
        var lines = new List<string>();
        foreach (var (name, problem) in checks)
        {
            healthy &= problem is null;
            lines.Add(problem is null ? $"[+]{name} ok" : $"[-]{name} failed: {problem}");
        }

        var text = healthy && !request.Query.ContainsKey("verbose") ? "ok" : string.Join('\n', lines) + '\n';
        return Results.Text(text, statusCode: healthy ? StatusCodes.Status200OK : StatusCodes.Status500InternalServerError);
    }
}
