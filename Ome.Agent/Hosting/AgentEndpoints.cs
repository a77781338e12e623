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
        // Handlers with parameters of their own would bring the compiler of expression trees along: 2 MiB, and a good part of the start.
        endpoints.MapGet("/livez", static context => AnswerAsync(context, ("ping", null)));
        endpoints.MapGet("/livez/ping", static context => AnswerAsync(context, ("ping", null)));
        endpoints.MapGet("/healthz", static context => AnswerAsync(context, Root(context)));
        endpoints.MapGet("/healthz/model-agent-health", static context => AnswerAsync(context, Root(context)));
        endpoints.MapGet("/readyz", static context =>
        {
            var publisher = context.RequestServices.GetRequiredService<ReportPublisher>();
            return AnswerAsync(
                context,
                Root(context),
                ("models-listed", context.RequestServices.GetRequiredService<ModelInbox>().IsSynced ? null : "models, the node and its report are not listed yet: see the log for what the API server answers"),
                ("reports-written", publisher.IsFailing ? $"{publisher.Backlog} reports wait for the API server" : null));
        });
    }

    internal static string? RootProblem(AgentOptions options) =>
        Directory.Exists(options.ModelsRoot) ? null : $"the models root {options.ModelsRoot} is no directory: mount it at the same path, or set --models-root-dir";

    private static (string Name, string? Problem) Root(HttpContext context) => ("model-agent-health", RootProblem(context.RequestServices.GetRequiredService<AgentOptions>()));

    private static Task AnswerAsync(HttpContext context, params ReadOnlySpan<(string Name, string? Problem)> checks)
    {
        var healthy = true;
        var lines = new List<string>();
        foreach (var (name, problem) in checks)
        {
            healthy &= problem is null;
            lines.Add(problem is null ? $"[+]{name} ok" : $"[-]{name} failed: {problem}");
        }

        context.Response.StatusCode = healthy ? StatusCodes.Status200OK : StatusCodes.Status500InternalServerError;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(healthy && !context.Request.Query.ContainsKey("verbose") ? "ok" : string.Join('\n', lines) + '\n', context.RequestAborted);
    }
}
