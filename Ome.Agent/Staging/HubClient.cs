using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Polly.Timeout;

namespace Ome.Agent.Staging;

/// <summary>A page of JSON, the address of the next one, or why there is none.</summary>
internal readonly record struct HubAnswer<T>(T? Value, Uri? Next, StagingFailure? Failure)
    where T : class;

/// <summary>
/// HTTP with a hub. Follows redirects itself: the token goes to the hub's own origin and to no other, so a CDN never sees it. Says nothing of
/// addresses in failures, since those of a CDN are signed.
/// </summary>
public sealed class HubClient
{
    /// <summary>Name of its client in the factory; retries and timeouts are configured there.</summary>
    public const string ClientName = "huggingface";

    private const int MostRedirects = 5;
    private const int MostJsonBytes = 64 << 20;

    private readonly IHttpClientFactory _clients;
    private readonly Uri _endpoint;

    public HubClient(IHttpClientFactory clients, HuggingFaceOptions options)
    {
        _clients = clients;
        _endpoint = Uri.TryCreate(options.Endpoint.TrimEnd('/') + "/", UriKind.Absolute, out var endpoint) && endpoint.Scheme is "http" or "https"
            ? endpoint
            : throw new ArgumentException($"HF_ENDPOINT is '{options.Endpoint}': it must be an http or https address", nameof(options));
    }

    /// <summary>An address below the endpoint.</summary>
    internal Uri Resolve(string relative) => new(_endpoint, relative);

    internal Task<HubAnswer<T>> GetJsonAsync<T>(string relative, Secret? token, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class => GetJsonAsync(Resolve(relative), token, type, cancellationToken);

    internal async Task<HubAnswer<T>> GetJsonAsync<T>(Uri address, Secret? token, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        var (response, failure) = await SendAsync(address, token, null, cancellationToken).ConfigureAwait(false);
        if (response is null) return new(null, null, failure);
        using (response)
        {
            try
            {
                if (response.Content.Headers.ContentLength > MostJsonBytes) return Unreadable<T>();
                var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
                await using var bounded = new BoundedStream(body, MostJsonBytes);
                var value = await JsonSerializer.DeserializeAsync(bounded, type, cancellationToken).ConfigureAwait(false);
                return value is not null && TryNextPage(response, out var next) ? new(value, next, null) : Unreadable<T>();
            }
            catch (JsonException)
            {
                return Unreadable<T>();
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                return new(null, null, new StagingFailure(StagingFailureReason.SourceUnavailable, "the connection broke while the hub answered"));
            }
        }
    }

    internal async Task<OpenResult> OpenRangeAsync(Uri address, Secret? token, long offset, long length, long size, CancellationToken cancellationToken)
    {
        var range = offset == 0 && length == size ? null : new RangeHeaderValue(offset, offset + length - 1);
        var (response, failure) = await SendAsync(address, token, range, cancellationToken).ConfigureAwait(false);
        if (response is null) return new OpenResult.Failed(failure!);
        var kept = false;
        try
        {
            var start = response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange?.From : 0;
            var total = response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange?.Length ?? size : response.Content.Headers.ContentLength ?? size;
            if (start is null || start > offset || (total != size && response.StatusCode == HttpStatusCode.PartialContent))
            {
                return new OpenResult.Failed(new StagingFailure(
                    StagingFailureReason.SourceChanged, $"asked for bytes {offset} to {offset + length - 1} of {size}, the answer is from {start} of {total}"));
            }

            var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            kept = true;
            return new OpenResult.Opened(new BoundedStream(body, length, owner: response) { SkipFirst = offset - start.Value });
        }
        finally
        {
            if (!kept) response.Dispose();
        }
    }

    private async Task<(HttpResponseMessage? Response, StagingFailure? Failure)> SendAsync(
        Uri address, Secret? token, RangeHeaderValue? range, CancellationToken cancellationToken)
    {
        var client = _clients.CreateClient(ClientName);
        try
        {
            for (var redirects = 0; redirects <= MostRedirects; redirects++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, address);
                request.Headers.Range = range;
                if (token is not null && IsOwn(address)) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Reveal());
                var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
                if (response.IsSuccessStatusCode) return (response, null);
                using (response)
                {
                    if (Redirect(address, response) is { } target) address = target;
                    else return (null, HubFailure.From(response, token is not null));
                }
            }

            return (null, new StagingFailure(StagingFailureReason.SourceUnavailable, $"the hub redirects more than {MostRedirects} times"));
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutRejectedException or IOException)
        {
            // The exception's text may hold an address; its kind is enough.
            var kind = e is HttpRequestException http ? http.HttpRequestError.ToString() : e is TimeoutRejectedException ? "timed out" : "I/O error";
            return (null, new StagingFailure(StagingFailureReason.SourceUnavailable, $"no answer from {address.Host}: {kind}"));
        }
    }

    private bool IsOwn(Uri address) => address.Scheme == _endpoint.Scheme && address.Authority == _endpoint.Authority;

    private static Uri? Redirect(Uri from, HttpResponseMessage response)
    {
        if (response.StatusCode is not (HttpStatusCode.Moved or HttpStatusCode.Redirect or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)) return null;
        if (response.Headers.Location is not { } location) return null;
        var target = location.IsAbsoluteUri ? location : new Uri(from, location);
        return target.Scheme == Uri.UriSchemeHttps || target.Scheme == from.Scheme ? target : null;
    }

    /// <summary>
    /// The page after this one, always asked of the hub itself: mirrors pass on links to the hub they copy, and the token must not follow them there. A
    /// link that is none is an error, never the end: half a listing must not look like a whole one.
    /// </summary>
    private bool TryNextPage(HttpResponseMessage response, out Uri? next)
    {
        next = null;
        if (!response.Headers.TryGetValues("Link", out var links)) return true;
        foreach (var link in links.SelectMany(link => link.Split(',')))
        {
            if (!link.Contains("rel=\"next\"", StringComparison.OrdinalIgnoreCase)) continue;
            var (open, close) = (link.IndexOf('<', StringComparison.Ordinal), link.IndexOf('>', StringComparison.Ordinal));
            if (open < 0 || close < open || !Uri.TryCreate(response.RequestMessage!.RequestUri, link[(open + 1)..close], out next)) return false;
            if (!IsOwn(next)) next = Resolve(next.PathAndQuery.TrimStart('/'));
            return true;
        }

        return true;
    }

    private static HubAnswer<T> Unreadable<T>()
        where T : class => new(null, null, new StagingFailure(StagingFailureReason.SourceUnavailable, "the hub's answer is not the JSON it should be"));
}
