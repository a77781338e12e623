using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Ome.Shared.Domain.Objects;

namespace Ome.Agent.Staging.Oci;

/// <summary>What the store says of one object.</summary>
internal sealed record ObjectFacts(string Name, long Size, string? EntityTag, ObjectExpectation Expectation);

/// <summary>One bucket, as one caller sees it: listing, facts, ranges.</summary>
internal sealed class OciBucket(OciHttp http, IRequestAuthenticator authenticator, Uri endpoint, string @namespace, string bucket)
{
    private const string Who = "OCI Object Storage";

    private string Root => $"n/{Uri.EscapeDataString(@namespace)}/b/{Uri.EscapeDataString(bucket)}/o";

    /// <summary>The namespace of the caller's tenancy, for addresses that name none.</summary>
    public static async Task<(string? Namespace, StagingFailure? Failure)> NamespaceAsync(
        OciHttp http, IRequestAuthenticator authenticator, Uri endpoint, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(endpoint, "n/"));
        if (await authenticator.AuthenticateAsync(request, cancellationToken).ConfigureAwait(false) is { } refused) return (null, refused);
        var (text, failure) = await http.SendForTextAsync(request, Who, cancellationToken).ConfigureAwait(false);
        if (text is null) return (null, Noted(failure!, authenticator));
        try
        {
            return JsonSerializer.Deserialize(text, OciJson.Default.String) is { Length: > 0 } name ? (name, null) : (null, Unreadable());
        }
        catch (JsonException)
        {
            return (null, Unreadable());
        }
    }

    /// <summary>One page of names.</summary>
    public async Task<(ObjectPage? Page, StagingFailure? Failure)> ListAsync(string prefix, string? start, int limit, CancellationToken cancellationToken)
    {
        var query = $"?prefix={Uri.EscapeDataString(prefix)}&limit={limit}&fields=name,size,md5,etag" + (start is null ? "" : $"&start={Uri.EscapeDataString(start)}");
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(endpoint, Root + query));
        if (await AuthenticateAsync(request, cancellationToken).ConfigureAwait(false) is { } refused) return (null, refused);
        var (text, failure) = await http.SendForTextAsync(request, Who, cancellationToken).ConfigureAwait(false);
        if (text is null) return (null, Noted(failure!, authenticator));
        try
        {
            return JsonSerializer.Deserialize(text, OciJson.Default.ObjectPage) is { } page ? (page, null) : (null, Unreadable());
        }
        catch (JsonException)
        {
            return (null, Unreadable());
        }
    }

    /// <summary>Size, tag and digests of one object; one HEAD request.</summary>
    public async Task<(ObjectFacts? Facts, StagingFailure? Failure)> HeadAsync(string name, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, AddressOf(name));
        if (await AuthenticateAsync(request, cancellationToken).ConfigureAwait(false) is { } refused) return (null, refused);
        var (response, failure) = await http.SendAsync(request, Who, cancellationToken).ConfigureAwait(false);
        if (response is null) return (null, Noted(failure!, authenticator));
        using (response)
        {
            if (response.Content.Headers.ContentLength is not { } size) return (null, new StagingFailure(StagingFailureReason.ListingInvalid, $"the store gives no length for '{name}'"));
            var md5 = response.Content.Headers.ContentMD5 is { } bytes ? Convert.ToBase64String(bytes) : null;
            var expectation = ObjectExpectation.FromOci(md5, Header(response, "opc-multipart-md5"), Header(response, "opc-meta-md5"));
            return (new ObjectFacts(name, size, Header(response, "etag"), expectation), null);
        }
    }

    /// <summary>A range of an object as it was listed: another content under the name is refused by its tag.</summary>
    public async Task<OpenResult> OpenAsync(string name, string? entityTag, long offset, long length, long size, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, AddressOf(name));
        if (entityTag is not null) request.Headers.TryAddWithoutValidation("if-match", entityTag);
        if (offset > 0 || length < size) request.Headers.Range = new RangeHeaderValue(offset, offset + length - 1);
        if (await AuthenticateAsync(request, cancellationToken).ConfigureAwait(false) is { } refused) return new OpenResult.Failed(refused);
        var (response, failure) = await http.SendAsync(request, Who, cancellationToken).ConfigureAwait(false);
        return response is null ? new OpenResult.Failed(Noted(failure!, authenticator)) : await RangeBody.TakeAsync(response, offset, length, size, cancellationToken).ConfigureAwait(false);
    }

    // The whole name is one path segment of the API, slashes included.
    private Uri AddressOf(string name) => new(endpoint, $"{Root}/{Uri.EscapeDataString(name)}");

    private ValueTask<StagingFailure?> AuthenticateAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        authenticator.AuthenticateAsync(request, cancellationToken);

    // A refused token may have been taken back early: the next request gets a new one.
    private static StagingFailure Noted(StagingFailure failure, IRequestAuthenticator authenticator)
    {
        if (failure.Reason == StagingFailureReason.Unauthorized) authenticator.Forget();
        return failure;
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values) ? values.FirstOrDefault() : null;

    private static StagingFailure Unreadable() => new(StagingFailureReason.SourceUnavailable, $"the answer of {Who} is not the JSON it should be");
}

/// <summary>The body of an answer to a range request, held to what was asked.</summary>
internal static class RangeBody
{
    /// <summary>Takes over the response; it is disposed with the body, or here when it is another range or another object.</summary>
    public static async Task<OpenResult> TakeAsync(HttpResponseMessage response, long offset, long length, long size, CancellationToken cancellationToken)
    {
        var range = response.Content.Headers.ContentRange;
        var partial = response.StatusCode == HttpStatusCode.PartialContent;
        var start = partial ? range?.From : 0;
        var total = partial ? range?.Length ?? size : response.Content.Headers.ContentLength ?? size;
        if (start is null || start > offset || (partial && total != size))
        {
            response.Dispose();
            return new OpenResult.Failed(new StagingFailure(
                StagingFailureReason.SourceChanged, $"asked for bytes {offset} to {offset + length - 1} of {size}, the answer is from {start} of {total}"));
        }

        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        return new OpenResult.Opened(new BoundedStream(body, length, owner: response) { SkipFirst = offset - start.Value });
    }
}
