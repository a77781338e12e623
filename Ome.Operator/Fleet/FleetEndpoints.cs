using System.Net;
using Ome.Operator.Watching;

namespace Ome.Operator.Fleet;

/// <summary>
/// Serves the fleet page, read-only, to this machine alone: through <c>kubectl port-forward</c> it comes behind the cluster's own
/// authentication and rights. A page of another site cannot read it: the Host must be a loopback name, and nothing may be embedded or loaded from elsewhere.
/// </summary>
public static class FleetEndpoints
{
    private const string Remedy = "The fleet page answers on loopback only: kubectl -n ome port-forward deploy/ome-operator 8080, then http://localhost:8080/";
    private const string Policy = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>Adds the page, its style and its script.</summary>
    public static void MapFleetPage(this WebApplication app)
    {
        var page = app.MapGroup(string.Empty).AddEndpointFilter(static async (call, next) => IsLocal(call.HttpContext) ? await next(call) : Results.Text(Remedy, statusCode: 403));
        page.MapGet("/", static (string? q, string? page, ReportIndex index, Leadership leadership, TimeProvider time, HttpContext context) =>
        {
            context.Response.Headers.ContentSecurityPolicy = Policy;
            context.Response.Headers.CacheControl = "no-store";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            var view = FleetView.Of(index.Snapshot(), q, int.TryParse(page, out var number) ? number : 1);
            return Results.Content(FleetPage.Render(view, leadership.IsLeader, time.GetUtcNow()), "text/html; charset=utf-8");
        });
        page.MapGet("/fleet.css", static () => Results.Stream(Resource("fleet.css"), "text/css"));
        page.MapGet("/fleet.js", static () => Results.Stream(Resource("fleet.js"), "text/javascript"));
    }

    private static bool IsLocal(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
        && (context.Request.Host.Host is "localhost" || (IPAddress.TryParse(context.Request.Host.Host.Trim('[', ']'), out var host) && IPAddress.IsLoopback(host)));

    private static Stream Resource(string name) => typeof(FleetEndpoints).Assembly.GetManifestResourceStream(name)
        ?? throw new InvalidOperationException($"{name} is not embedded.");
}
