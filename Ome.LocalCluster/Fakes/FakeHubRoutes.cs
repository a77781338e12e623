using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Features;

namespace Ome.LocalCluster.Fakes;

/// <summary>The hub's routes, by hand: repository ids and file paths hold slashes no route template can split.</summary>
internal sealed class FakeHubRoutes(FakeHub hub)
{
    private readonly FakeHubBodies _bodies = new(hub.Faults, hub.Gives, (path, offset) =>
    {
        var body = new HubBody(path, offset);
        hub.Began(body);
        return (bytes, underWay) => body.Add(bytes, underWay);
    });

    public async Task HandleAsync(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?', 2)[0];
        var segments = target.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString).ToList();
        hub.Saw($"{context.Request.Method} {target}");
        var isCdn = hub.CdnEndpoint.EndsWith(":" + context.Connection.LocalPort.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        if (segments is ["_fake", ..])
        {
            await FakeHubAdmin.HandleAsync(hub, context, segments).ConfigureAwait(false);
            return;
        }

        var work = (isCdn, segments) switch
        {
            (true, ["lfs", _, .. var rest]) => CdnAsync(context, rest),
            (false, ["api", "resolve-cache", "models", .. var rest]) => CachedAsync(context, rest),
            (false, ["api", "models", .. var rest]) => ApiAsync(context, rest),
            (false, _) => ResolveAsync(context, segments),
            _ => RefuseAsync(context, 404, null, "Not found"),
        };
        await work.ConfigureAwait(false);
    }

    private async Task ApiAsync(HttpContext context, List<string> rest)
    {
        if (await FailedAsync(context, HubFaultScope.Api, null).ConfigureAwait(false)) return;
        if (await FindAsync(context, rest).ConfigureAwait(false) is not var (repository, tail)) return;
        if (repository.Access == HubAccess.Private && !await AllowedAsync(context, gated: false).ConfigureAwait(false)) return;
        var revision = tail is ["revision" or "tree", var named, ..] ? named : "main";
        if (!repository.TryResolve(revision, out var sha, out var files))
        {
            await RefuseAsync(context, 404, "RevisionNotFound", $"Invalid rev id: {revision}").ConfigureAwait(false);
            return;
        }

        if (tail is ["tree", _, .. var directory]) await TreeAsync(context, repository, revision, string.Join('/', directory), files).ConfigureAwait(false);
        else if (tail is [] or ["revision", _]) await InfoAsync(context, repository, sha, files).ConfigureAwait(false);
        else await RefuseAsync(context, 404, null, "Not found").ConfigureAwait(false);
    }

    private static Task InfoAsync(HttpContext context, HubRepository repository, string sha, IReadOnlyDictionary<string, HubContent> files) =>
        JsonAsync(context, new JsonObject
        {
            ["_id"] = "0123456789abcdef01234567",
            ["id"] = repository.Id,
            ["modelId"] = repository.Id,
            ["author"] = repository.Id.Split('/')[0],
            ["sha"] = sha,
            ["lastModified"] = "2026-01-01T00:00:00.000Z",
            ["private"] = repository.Access == HubAccess.Private,
            ["gated"] = repository.Access == HubAccess.Gated ? "manual" : false,
            ["disabled"] = false,
            ["downloads"] = 0,
            ["likes"] = 0,
            ["tags"] = new JsonArray("safetensors", "llama"),
            ["pipeline_tag"] = "text-generation",
            ["library_name"] = "transformers",
            ["siblings"] = new JsonArray([.. files.Keys.Select(path => new JsonObject { ["rfilename"] = path })]),
        });

    private async Task TreeAsync(
        HttpContext context, HubRepository repository, string revision, string directory, IReadOnlyDictionary<string, HubContent> files)
    {
        var query = context.Request.Query;
        var entries = HubTree.Entries(files, directory, recursive: query["recursive"] == "true" || query["recursive"] == "1");
        if (entries is null)
        {
            await RefuseAsync(context, 404, "EntryNotFound", $"{directory} does not exist").ConfigureAwait(false);
            return;
        }

        var start = 0;
        if (query["cursor"].ToString() is { Length: > 0 } cursor)
        {
            var after = Encoding.UTF8.GetString(Convert.FromBase64String(cursor));
            start = entries.FindIndex(entry => entry.Path == after) + 1;
        }

        var limit = int.TryParse(query["limit"], NumberStyles.None, null, out var asked) ? Math.Clamp(asked, 1, hub.PageSize) : hub.PageSize;
        var page = entries.Skip(start).Take(limit).ToList();
        if (start + page.Count < entries.Count)
        {
            var next = Uri.EscapeDataString(Convert.ToBase64String(Encoding.UTF8.GetBytes(page[^1].Path)));
            var path = string.Concat(directory.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(segment => "/" + Uri.EscapeDataString(segment)));
            context.Response.Headers.Link =
                $"<{hub.PageLinkOrigin ?? hub.Endpoint}/api/models/{repository.Id}/tree/{Uri.EscapeDataString(revision)}{path}?recursive={query["recursive"]}&expand={query["expand"]}&limit={limit}&cursor={next}>; rel=\"next\"";
        }

        await JsonAsync(context, new JsonArray([.. page.Select(entry => entry.Json)])).ConfigureAwait(false);
    }

    private async Task ResolveAsync(HttpContext context, List<string> segments)
    {
        var at = segments.IndexOf("resolve");
        if (at is not (1 or 2) || segments.Count < at + 3)
        {
            await RefuseAsync(context, 404, null, "Not found").ConfigureAwait(false);
            return;
        }

        var path = string.Join('/', segments.Skip(at + 2));
        if (await FailedAsync(context, HubFaultScope.Resolve, path).ConfigureAwait(false)) return;
        if (await FindAsync(context, segments).ConfigureAwait(false) is not var (repository, _)) return;
        if (repository.Access != HubAccess.Public && !await AllowedAsync(context, repository.Access == HubAccess.Gated).ConfigureAwait(false)) return;
        if (await FileAsync(context, repository, segments[at + 1], path).ConfigureAwait(false) is not var (sha, content)) return;

        var headers = context.Response.Headers;
        headers["X-Repo-Commit"] = sha;
        headers.AcceptRanges = "bytes";
        headers["X-Linked-Size"] = content.Length.ToString(CultureInfo.InvariantCulture);
        headers["X-Linked-ETag"] = $"\"{content.ETag}\"";
        headers.ETag = $"\"{content.Oid}\"";
        var escaped = string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
        context.Response.StatusCode = content.IsLfs ? 302 : 307;
        headers.Location = content.IsLfs
            ? $"{hub.CdnEndpoint}/lfs/{content.Sha256}/{repository.Id}/{sha}/{escaped}?X-Amz-Expires=3600&X-Amz-Signature={hub.UrlSignature}"
            : $"/api/resolve-cache/models/{repository.Id}/{sha}/{escaped}";
    }

    private async Task CachedAsync(HttpContext context, List<string> rest)
    {
        if (await FindAsync(context, rest).ConfigureAwait(false) is not var (repository, tail) || tail.Count < 2) return;
        if (repository.Access != HubAccess.Public && !await AllowedAsync(context, repository.Access == HubAccess.Gated).ConfigureAwait(false)) return;
        await FileBodyAsync(context, repository, tail).ConfigureAwait(false);
    }

    private async Task CdnAsync(HttpContext context, List<string> rest)
    {
        if (context.Request.Headers.Authorization.Count > 0) hub.SawLeak(context.Request.Path);
        if (context.Request.Query["X-Amz-Signature"] != hub.UrlSignature)
        {
            await RefuseAsync(context, 403, null, "AccessDenied").ConfigureAwait(false);
            return;
        }

        if (await FindAsync(context, rest).ConfigureAwait(false) is not var (repository, tail) || tail.Count < 2) return;
        await FileBodyAsync(context, repository, tail).ConfigureAwait(false);
    }

    private async Task FileBodyAsync(HttpContext context, HubRepository repository, List<string> tail)
    {
        var path = string.Join('/', tail.Skip(1));
        if (await FailedAsync(context, HubFaultScope.Body, path).ConfigureAwait(false)) return;
        if (await FileAsync(context, repository, tail[0], path).ConfigureAwait(false) is not var (sha, content)) return;
        context.Response.Headers["X-Repo-Commit"] = sha;
        await _bodies.SendAsync(context, path, content).ConfigureAwait(false);
    }

    private static async Task<(string Sha, HubContent Content)?> FileAsync(HttpContext context, HubRepository repository, string revision, string path)
    {
        if (!repository.TryResolve(revision, out var sha, out var files))
        {
            await RefuseAsync(context, 404, "RevisionNotFound", $"Invalid rev id: {revision}").ConfigureAwait(false);
            return null;
        }

        if (files.TryGetValue(path, out var content)) return (sha, content);
        await RefuseAsync(context, 404, "EntryNotFound", "Entry not found").ConfigureAwait(false);
        return null;
    }

    private async Task<(HubRepository Repository, List<string> Tail)?> FindAsync(HttpContext context, List<string> rest)
    {
        if (rest.Count >= 2 && hub.TryFind($"{rest[0]}/{rest[1]}", out var owned)) return (owned, rest[2..]);
        if (rest.Count >= 1 && hub.TryFind(rest[0], out var bare)) return (bare, rest[1..]);
        // The real hub does not tell strangers whether a repository exists.
        if (TokenOf(context) is { } token && (hub.GrantedTokens.Contains(token) || hub.KnownTokens.Contains(token)))
        {
            await RefuseAsync(context, 404, "RepoNotFound", "Repository not found").ConfigureAwait(false);
        }
        else
        {
            await RefuseAsync(context, 401, "RepoNotFound", "Invalid username or password.").ConfigureAwait(false);
        }

        return null;
    }

    private async Task<bool> AllowedAsync(HttpContext context, bool gated)
    {
        var token = TokenOf(context);
        if (token is not null && hub.GrantedTokens.Contains(token)) return true;
        var known = token is not null && hub.KnownTokens.Contains(token);
        if (gated)
        {
            await RefuseAsync(context, known ? 403 : 401, "GatedRepo", "Access to this model is restricted.").ConfigureAwait(false);
        }
        else if (known)
        {
            await RefuseAsync(context, 404, "RepoNotFound", "Repository not found").ConfigureAwait(false);
        }
        else
        {
            await RefuseAsync(context, 401, token is null ? "RepoNotFound" : null, token is null ? "Invalid username or password." : "Invalid credentials in Authorization header").ConfigureAwait(false);
        }

        return false;
    }

    private async Task<bool> FailedAsync(HttpContext context, HubFaultScope scope, string? path)
    {
        if (hub.Faults.Take(scope, path, static kind => kind == HubFaultKind.Status) is not { } fault) return false;
        if (fault.RetryAfterSeconds > 0) context.Response.Headers.RetryAfter = fault.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        await RefuseAsync(context, fault.Status, null, "Fault asked for").ConfigureAwait(false);
        return true;
    }

    private static string? TokenOf(HttpContext context) =>
        context.Request.Headers.Authorization.ToString() is var header && header.StartsWith("Bearer ", StringComparison.Ordinal) ? header[7..] : null;

    private static Task RefuseAsync(HttpContext context, int status, string? code, string message)
    {
        context.Response.StatusCode = status;
        if (code is not null) context.Response.Headers["X-Error-Code"] = code;
        context.Response.Headers["X-Error-Message"] = message;
        return context.Request.Method == "HEAD" ? Task.CompletedTask : JsonAsync(context, new JsonObject { ["error"] = message });
    }

    private static Task JsonAsync(HttpContext context, JsonNode json)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        return context.Response.WriteAsync(json.ToJsonString(), context.RequestAborted);
    }
}
