using System.Globalization;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http.Features;

namespace Ome.LocalCluster.Fakes;

/// <summary>The part of S3 that reading a bucket needs: ListObjectsV2, HEAD and ranged GET of objects, HEAD of the first part. Path style.</summary>
internal sealed class S3Routes(FakeObjectStore store)
{
    private static readonly XNamespace Xml = "http://s3.amazonaws.com/doc/2006-03-01/";

    private readonly FakeHubBodies _bodies = new(store.Faults, store.Gives);

    public async Task HandleAsync(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?', 2)[0];
        store.Saw($"{context.Request.Method} {target}");
        var slash = target.IndexOf('/', 1);
        var bucket = Uri.UnescapeDataString(slash < 0 ? target[1..] : target[1..slash]);
        var key = slash < 0 ? "" : Uri.UnescapeDataString(target[(slash + 1)..]);
        if (await FailedAsync(context, key.Length > 0 && context.Request.Method == "GET" ? HubFaultScope.Body : HubFaultScope.Api, key).ConfigureAwait(false)) return;
        var authorization = context.Request.Headers.Authorization.ToString();
        if (store.RequiresCredentials && !store.AccessKeys.Any(known => authorization.Contains($"Credential={known}/", StringComparison.Ordinal))) await RefuseAsync(context, 403, "AccessDenied").ConfigureAwait(false);
        else if (!store.HasBucket(bucket)) await RefuseAsync(context, 404, "NoSuchBucket").ConfigureAwait(false);
        else if (key.Length == 0) await ListAsync(context, bucket).ConfigureAwait(false);
        else await ObjectAsync(context, bucket, key).ConfigureAwait(false);
    }

    private async Task ListAsync(HttpContext context, string bucket)
    {
        var query = context.Request.Query;
        var limit = int.TryParse(query["max-keys"], NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 1000;
        var prefix = query["prefix"].ToString();
        var (page, next) = store.List(bucket, prefix, query["continuation-token"].ToString() is { Length: > 0 } start ? start : null, limit);
        var encoded = query["encoding-type"] == "url";
        var answer = new XElement(
            Xml + "ListBucketResult", new XElement(Xml + "Name", bucket), new XElement(Xml + "Prefix", Name(prefix)), new XElement(Xml + "KeyCount", page.Count),
            new XElement(Xml + "IsTruncated", next is not null), next is null ? null : new XElement(Xml + "NextContinuationToken", next), encoded ? new XElement(Xml + "EncodingType", "url") : null,
            page.Select(entry => new XElement(
                Xml + "Contents", new XElement(Xml + "Key", Name(entry.Key)), new XElement(Xml + "ETag", $"\"{entry.Value.S3EntityTag}\""),
                new XElement(Xml + "Size", entry.Value.Length), new XElement(Xml + "LastModified", "2026-01-01T00:00:00.000Z"), new XElement(Xml + "StorageClass", "STANDARD"))));
        context.Response.ContentType = "application/xml";
        await context.Response.WriteAsync(answer.ToString(), context.RequestAborted).ConfigureAwait(false);

        string Name(string text) => encoded ? Uri.EscapeDataString(text) : text;
    }

    private async Task ObjectAsync(HttpContext context, string bucket, string key)
    {
        if (store.Find(bucket, key) is not { } blob)
        {
            await RefuseAsync(context, 404, "NoSuchKey").ConfigureAwait(false);
            return;
        }

        if (context.Request.Headers.IfMatch.ToString() is { Length: > 0 } tag && tag.Trim('"') != blob.S3EntityTag)
        {
            await RefuseAsync(context, 412, "PreconditionFailed").ConfigureAwait(false);
            return;
        }

        context.Response.Headers.ETag = $"\"{blob.S3EntityTag}\"";
        context.Response.Headers.LastModified = "Thu, 01 Jan 2026 00:00:00 GMT";
        if (context.Request.Method == "HEAD" && context.Request.Query["partNumber"] == "1" && blob.PartSize > 0)
        {
            context.Response.StatusCode = 206;
            context.Response.ContentLength = Math.Min(blob.PartSize, blob.Length);
            context.Response.Headers["x-amz-mp-parts-count"] = blob.MultipartMd5![(blob.MultipartMd5!.LastIndexOf('-') + 1)..];
            return;
        }

        await _bodies.SendAsync(context, key, blob.Length, blob.Open).ConfigureAwait(false);
    }

    private async Task<bool> FailedAsync(HttpContext context, HubFaultScope scope, string key)
    {
        if (store.Faults.Take(scope, key.Length == 0 ? null : key, static kind => kind == HubFaultKind.Status) is not { } fault) return false;
        if (fault.RetryAfterSeconds > 0) context.Response.Headers.RetryAfter = fault.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        await RefuseAsync(context, fault.Status, fault.Status is 429 or 503 ? "SlowDown" : "InternalError").ConfigureAwait(false);
        return true;
    }

    private static Task RefuseAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        if (context.Request.Method == "HEAD") return Task.CompletedTask;
        context.Response.ContentType = "application/xml";
        return context.Response.WriteAsync(new XElement("Error", new XElement("Code", code), new XElement("Message", "refused by the fake store")).ToString(), context.RequestAborted);
    }
}
