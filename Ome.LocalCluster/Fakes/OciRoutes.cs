using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Features;

namespace Ome.LocalCluster.Fakes;

/// <summary>OCI's routes, by hand: the signed target must be read as it came, and an object's name is one escaped segment.</summary>
internal sealed class OciRoutes(FakeObjectStore store)
{
    private readonly FakeHubBodies _bodies = new(store.Faults, store.Gives);

    public async Task HandleAsync(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?', 2)[0];
        var segments = target.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString).ToList();
        var preAuthenticated = segments is ["p", var token, ..] && token == store.PreAuthenticatedToken;
        // The address is the credential: it must not end in a list of requests.
        store.Saw($"{context.Request.Method} {(segments is ["p", ..] ? "/p/***/" + string.Join('/', segments.Skip(2)) : target)}");
        var work = segments switch
        {
            ["opc", "v2", .. var rest] => MetadataAsync(context, string.Join('/', rest)),
            ["v1", "x509"] => FederateAsync(context),
            ["resourcePrincipalSessionTokens"] => ExchangeAsync(context),
            ["p", _, .. var rest] => preAuthenticated ? ObjectStorageAsync(context, rest, allowed: true) : RefuseAsync(context, 404, "NotAuthorizedOrNotFound"),
            _ => ObjectStorageAsync(context, segments, allowed: false),
        };
        await work.ConfigureAwait(false);
    }

    private async Task ObjectStorageAsync(HttpContext context, List<string> segments, bool allowed)
    {
        var name = segments is ["n", _, "b", _, "o", .. var rest] && rest.Count > 0 ? string.Join('/', rest) : null;
        if (await FailedAsync(context, name is not null && context.Request.Method == "GET" ? HubFaultScope.Body : HubFaultScope.Api, name).ConfigureAwait(false)) return;
        if (!allowed && store.RequiresCredentials && await store.Callers.RefuseAsync(context, ["host"]).ConfigureAwait(false) is not null)
        {
            await RefuseAsync(context, 401, "NotAuthenticated").ConfigureAwait(false);
            return;
        }

        switch (segments)
        {
            case ["n"]:
                await JsonAsync(context, JsonValue.Create(store.Namespace)).ConfigureAwait(false);
                break;
            case ["n", var space, ..] when space != store.Namespace:
                await RefuseAsync(context, 404, "NamespaceNotFound").ConfigureAwait(false);
                break;
            case ["n", _, "b", var bucket, "o", ..] when !store.HasBucket(bucket):
                await RefuseAsync(context, 404, "BucketNotFound").ConfigureAwait(false);
                break;
            case ["n", _, "b", var bucket, "o"]:
                await ListAsync(context, bucket).ConfigureAwait(false);
                break;
            case ["n", _, "b", var bucket, "o", ..]:
                await ObjectAsync(context, bucket, name!).ConfigureAwait(false);
                break;
            default:
                await RefuseAsync(context, 404, "NotAuthorizedOrNotFound").ConfigureAwait(false);
                break;
        }
    }

    private Task ListAsync(HttpContext context, string bucket)
    {
        var query = context.Request.Query;
        var fields = query["fields"].ToString().Split(',');
        var limit = int.TryParse(query["limit"], NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 1000;
        var (page, next) = store.List(bucket, query["prefix"].ToString(), query["start"].ToString() is { Length: > 0 } start ? start : null, limit);
        var answer = new JsonObject { ["objects"] = new JsonArray([.. page.Select(entry => Summary(entry.Key, entry.Value, fields))]) };
        if (next is not null) answer["nextStartWith"] = next;
        return JsonAsync(context, answer);
    }

    private static JsonObject Summary(string name, StoredBlob blob, string[] fields)
    {
        var summary = new JsonObject { ["name"] = name };
        if (fields.Contains("size", StringComparer.Ordinal)) summary["size"] = blob.Length;
        if (fields.Contains("md5", StringComparer.Ordinal) && (blob.Md5 ?? blob.MultipartMd5) is { } md5) summary["md5"] = md5;
        if (fields.Contains("etag", StringComparer.Ordinal)) summary["etag"] = blob.EntityTag;
        return summary;
    }

    private async Task ObjectAsync(HttpContext context, string bucket, string name)
    {
        if (store.Find(bucket, name) is not { } blob)
        {
            await RefuseAsync(context, 404, "ObjectNotFound").ConfigureAwait(false);
            return;
        }

        if (context.Request.Headers.IfMatch.ToString() is { Length: > 0 } tag && tag != blob.EntityTag)
        {
            await RefuseAsync(context, 412, "IfMatchFailed").ConfigureAwait(false);
            return;
        }

        var headers = context.Response.Headers;
        headers.ETag = blob.EntityTag;
        if (blob.Md5 is not null) headers["Content-MD5"] = blob.Md5;
        if (blob.MultipartMd5 is not null) headers["opc-multipart-md5"] = blob.MultipartMd5;
        if (blob.MetadataMd5 is not null) headers["opc-meta-md5"] = blob.MetadataMd5;
        await _bodies.SendAsync(context, name, blob.Length, blob.Open).ConfigureAwait(false);
    }

    private Task MetadataAsync(HttpContext context, string path)
    {
        if (store.Callers.Instance is not { } instance) return RefuseAsync(context, 404, "NotFound");
        if (context.Request.Headers.Authorization != "Bearer Oracle") return RefuseAsync(context, 401, "NotAuthenticated");
        var text = path switch
        {
            "instance/region" => instance.Region,
            "identity/cert.pem" => instance.Leaf.ExportCertificatePem(),
            "identity/intermediate.pem" => instance.Intermediate.ExportCertificatePem(),
            "identity/key.pem" => instance.KeyPem,
            _ => null,
        };
        return text is null ? RefuseAsync(context, 404, "NotFound") : context.Response.WriteAsync(text, context.RequestAborted);
    }

    private async Task FederateAsync(HttpContext context)
    {
        var instance = store.Callers.Instance;
        var problem = await store.Callers.RefuseAsync(context, null, keyId => keyId == instance?.KeyId ? instance.Leaf.GetRSAPublicKey() : null).ConfigureAwait(false);
        if (problem is not null || instance is null)
        {
            await RefuseAsync(context, 401, "NotAuthenticated").ConfigureAwait(false);
            return;
        }

        var details = await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        var sent = Convert.FromBase64String((string)details!["certificate"]!);
        var between = Convert.FromBase64String((string)details["intermediateCertificates"]![0]!);
        if (!sent.AsSpan().SequenceEqual(instance.Leaf.RawData) || !between.AsSpan().SequenceEqual(instance.Intermediate.RawData) || (string?)details["fingerprintAlgorithm"] != "SHA256")
        {
            await RefuseAsync(context, 400, "InvalidParameter").ConfigureAwait(false);
            return;
        }

        await JsonAsync(context, new JsonObject { ["token"] = store.Callers.Issue((string)details["publicKey"]!) }).ConfigureAwait(false);
    }

    private async Task ExchangeAsync(HttpContext context)
    {
        if (store.Callers.ServiceAccountToken is not { } token || context.Request.Headers.Authorization != "Bearer " + token)
        {
            await RefuseAsync(context, 403, "NotAuthorized").ConfigureAwait(false);
            return;
        }

        var details = await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        var answer = new JsonObject { ["token"] = "ST$" + store.Callers.Issue((string)details!["podKey"]!) };
        await JsonAsync(context, JsonValue.Create(Convert.ToBase64String(Encoding.UTF8.GetBytes(answer.ToJsonString())))).ConfigureAwait(false);
    }

    private async Task<bool> FailedAsync(HttpContext context, HubFaultScope scope, string? path)
    {
        if (store.Faults.Take(scope, path, static kind => kind == HubFaultKind.Status) is not { } fault) return false;
        if (fault.RetryAfterSeconds > 0) context.Response.Headers.RetryAfter = fault.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        await RefuseAsync(context, fault.Status, fault.Status == 429 ? "TooManyRequests" : "InternalServerError").ConfigureAwait(false);
        return true;
    }

    private static Task RefuseAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        return context.Request.Method == "HEAD" ? Task.CompletedTask : JsonAsync(context, new JsonObject { ["code"] = code, ["message"] = "refused by the fake store" });
    }

    private static Task JsonAsync(HttpContext context, JsonNode? json)
    {
        context.Response.ContentType = "application/json";
        context.Response.Headers["opc-request-id"] = context.TraceIdentifier;
        return context.Response.WriteAsync(json?.ToJsonString() ?? "null", context.RequestAborted);
    }
}
