using System.Text.Json.Nodes;
using Ome.LocalCluster.Faults;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Security;

namespace Ome.LocalCluster.Serving;

/// <summary>Every request passes here: who is it, what does it want, may it, does a fault hit it, who answers.</summary>
internal sealed class ApiServer(ApiServerParts parts)
{
    public async Task HandleAsync(HttpContext http)
    {
        try
        {
            await RouteAsync(http);
        }
        catch (ApiException failure) when (!http.Response.HasStarted)
        {
            await ApiResponses.FailAsync(http, failure);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client is gone.
        }
    }

    private async Task RouteAsync(HttpContext http)
    {
        var path = http.Request.Path.Value ?? "/";
        var admin = path.StartsWith(FaultEndpoints.Prefix, StringComparison.Ordinal);
        if (!admin && parts.Faults.IsDown)
        {
            http.Abort();
            return;
        }
        using var outage = admin ? default : parts.Faults.OutageToken.Register(http.Abort);
        if (path is "/healthz" or "/readyz" or "/livez" || path.StartsWith("/readyz/", StringComparison.Ordinal))
        {
            await new ApiRequest(http, Identity.Admin).TextAsync("ok");
            return;
        }
        if (path == "/version")
        {
            await new ApiRequest(http, Identity.Admin).JsonAsync(Version());
            return;
        }
        var request = new ApiRequest(http, Authenticate(http));
        if (request.Accepts.ProtobufOnly && path != "/openapi/v2") throw ApiException.NotAcceptable("application/json");
        if (admin) await parts.FaultEndpoints.HandleAsync(request);
        else if (RequestPath.Parse(path) is { } target) await ResourceAsync(request, target);
        else if (request.Method != "GET") throw ApiException.MethodNotAllowed();
        else if (!await parts.Discovery.TryHandleAsync(request) && !await parts.OpenApi.TryHandleAsync(request)) throw ApiException.UnknownPath();
    }

    private Identity Authenticate(HttpContext http)
    {
        var header = http.Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) throw ApiException.Unauthorized();
        var token = header["Bearer ".Length..].Trim();
        return token == parts.AdminToken ? Identity.Admin : parts.Tokens.Verify(token) ?? throw ApiException.Unauthorized();
    }

    private async Task ResourceAsync(ApiRequest request, RequestPath path)
    {
        var review = AuthHandler.Reviews.Any(r => r.Group == path.Group && r.Plural == path.Resource) && path.Version == "v1";
        var resource = parts.Kinds.Find(path.Group, path.Version, path.Resource);
        if (!review && (resource is null || !FitsScope(resource, path))) throw ApiException.UnknownPath();

        var verb = VerbOf(request, path);
        var facts = new RequestFacts(verb, path.Group, path.Resource, path.Subresource, path.Namespace, path.Name, request.Who.User) { LabelSelector = request.Http.Request.Query["labelSelector"].ToString() };
        parts.Requests.Add(facts);
        var fault = parts.Faults.Next(facts);
        if (fault is not null && !await PassesAsync(request, fault)) return;

        var access = new AccessRequest(verb, path.Group, path.Resource, path.Subresource, path.Namespace, path.Name);
        if (parts.EnforceRbac && !parts.Rbac.Allows(request.Who, access))
        {
            parts.Requests.Deny(facts);
            throw ApiException.Forbidden(path.Group, path.Resource, path.Name, access.Describe(request.Who));
        }

        if (review) await (verb == "create" ? parts.Auth.ReviewAsync(request, path) : throw ApiException.MethodNotAllowed());
        else if (fault?.LoseAnswer == true) await WithoutAnswerAsync(request, () => HandleAsync(request, resource!, path, verb));
        else await HandleAsync(request, resource!, path, verb);
    }

    private Task HandleAsync(ApiRequest request, ApiResource resource, RequestPath path, string verb) => (path.Subresource, verb) switch
    {
        ("" or "status", _) when path.Subresource == "status" && !resource.HasStatus => throw ApiException.UnknownPath(),
        ("", "list") => parts.Lists.HandleAsync(request, resource, path),
        ("", "watch") => parts.Watches.HandleAsync(request, resource, path),
        ("" or "status", "get") => parts.Resources.GetAsync(request, resource, path),
        ("", "create") => parts.Resources.CreateAsync(request, resource, path),
        ("" or "status" or "finalize", "update") => parts.Resources.UpdateAsync(request, resource, path),
        ("" or "status", "patch") => parts.Resources.PatchAsync(request, resource, path),
        ("", "delete") => parts.Resources.DeleteAsync(request, resource, path),
        ("", "deletecollection") => parts.Resources.DeleteCollectionAsync(request, resource, path),
        ("scale", "get") when resource.Scale is not null => parts.Scales.GetAsync(request, resource, path),
        ("scale", "update" or "patch") when resource.Scale is not null => parts.Scales.WriteAsync(request, resource, path),
        ("token", "create") when resource is { Group: "", Plural: "serviceaccounts" } => parts.Auth.TokenAsync(request, path),
        ("", _) or ("status", _) => throw ApiException.MethodNotAllowed(),
        _ => throw ApiException.UnknownPath(),
    };

    private static bool FitsScope(ApiResource resource, RequestPath path) => resource.Namespaced
        ? path.Namespace.Length > 0 || path.Name.Length == 0
        : path.Namespace.Length == 0;

    private static string VerbOf(ApiRequest request, RequestPath path) => request.Method switch
    {
        "GET" when request.Flag("watch") => "watch",
        "GET" => path.Name.Length > 0 ? "get" : "list",
        "POST" when path.Name.Length == 0 || path.Subresource.Length > 0 => "create",
        "PUT" when path.Name.Length > 0 => "update",
        "PATCH" when path.Name.Length > 0 => "patch",
        "DELETE" => path.Name.Length > 0 ? "delete" : "deletecollection",
        _ => throw ApiException.MethodNotAllowed(),
    };

    /// <summary>Lets the fault act; false when it was the answer.</summary>
    private async Task<bool> PassesAsync(ApiRequest request, FaultRule fault)
    {
        if (fault.Latency > TimeSpan.Zero) await Task.Delay(fault.Latency, parts.Clock, request.Cancelled);
        if (fault.Code is { } code) throw ApiException.Injected(code, fault.RetryAfterSeconds);
        if (!fault.CutConnection) return true;
        request.Http.Abort();
        return false;
    }

    private static async Task WithoutAnswerAsync(ApiRequest request, Func<Task> work)
    {
        var body = request.Http.Response.Body;
        request.Http.Response.Body = Stream.Null;
        try
        {
            await work();
        }
        finally
        {
            request.Http.Response.Body = body;
            request.Http.Abort();
        }
    }

    private static JsonObject Version() => new()
    {
        ["major"] = "1",
        ["minor"] = "33",
        ["gitVersion"] = "v1.33.0+ome-local-cluster",
        ["gitCommit"] = "",
        ["gitTreeState"] = "clean",
        ["buildDate"] = "1970-01-01T00:00:00Z",
        ["goVersion"] = "",
        ["compiler"] = "",
        ["platform"] = "linux/amd64",
    };
}

/// <summary>What <see cref="ApiServer"/> hands requests to.</summary>
internal sealed record ApiServerParts(
    string AdminToken,
    bool EnforceRbac,
    TimeProvider Clock,
    KindRegistry Kinds,
    ServiceAccountTokens Tokens,
    RbacAuthorizer Rbac,
    FaultInjector Faults,
    RequestLog Requests,
    DiscoveryHandler Discovery,
    OpenApiHandler OpenApi,
    ListHandler Lists,
    WatchHandler Watches,
    ResourceHandler Resources,
    ScaleHandler Scales,
    AuthHandler Auth,
    FaultEndpoints FaultEndpoints);
