using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Ome.LocalCluster.Fakes;

/// <summary>
/// Switches for a hub in another process: <c>POST /_fake/faults</c> with a <see cref="HubFault"/> as JSON, <c>DELETE /_fake/faults</c>,
/// <c>PUT /_fake/repos/{id}</c> with <c>{"directory":…}</c> to make or move a repository, <c>GET /_fake/state</c>.
/// </summary>
internal static class FakeHubAdmin
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    public static async Task HandleAsync(FakeHub hub, HttpContext context, List<string> segments)
    {
        switch (context.Request.Method, segments)
        {
            case ("POST", [_, "faults"]):
                var fault = await JsonSerializer.DeserializeAsync<HubFault>(context.Request.Body, Json, context.RequestAborted).ConfigureAwait(false);
                if (fault is not null) hub.Faults.Add(fault);
                break;
            case ("DELETE", [_, "faults"]):
                hub.Faults.Clear();
                break;
            case ("PUT", [_, "repos", var owner, var name]):
                var body = await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted).ConfigureAwait(false);
                var repository = hub.AddDirectory($"{owner}/{name}", (string?)body?["directory"] ?? throw new BadHttpRequestException("'directory' is missing"));
                await context.Response.WriteAsJsonAsync(new { sha = repository.Head }, context.RequestAborted).ConfigureAwait(false);
                return;
            case ("GET", [_, "state"]):
                await context.Response.WriteAsJsonAsync(
                    new { requests = hub.Requests, bodyBytesSent = hub.BodyBytesSent, leakedAuthorizations = hub.LeakedAuthorizations.Count },
                    context.RequestAborted).ConfigureAwait(false);
                return;
            default:
                context.Response.StatusCode = 404;
                return;
        }

        context.Response.StatusCode = 204;
    }
}
