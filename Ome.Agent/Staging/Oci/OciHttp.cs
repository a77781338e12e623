using System.Globalization;
using System.Text;
using System.Text.Json;
using Polly.Timeout;

namespace Ome.Agent.Staging.Oci;

/// <summary>Sends requests to OCI services and turns every refusal and every break into a value. Addresses and headers never get into it.</summary>
internal sealed class OciHttp(IHttpClientFactory clients)
{
    /// <summary>Client for the store and for federation: retries, timeouts.</summary>
    public const string StoreClient = "oci";

    /// <summary>Client for the cluster's own token exchange: trusts the cluster's authority.</summary>
    public const string ClusterClient = "oci-cluster";

    private const int MostTextBytes = 16 << 20;

    /// <summary>An answer with a good status, or why there is none. The caller disposes the answer.</summary>
    public async Task<(HttpResponseMessage? Response, StagingFailure? Failure)> SendAsync(
        HttpRequestMessage request, string who, CancellationToken cancellationToken, string client = StoreClient)
    {
        try
        {
            var response = await clients.CreateClient(client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            if (response.IsSuccessStatusCode) return (response, null);
            using (response)
            {
                var code = await CodeAsync(response, cancellationToken).ConfigureAwait(false);
                return (null, OciFailure.From(response.StatusCode, code, who, SourceHttp.RetryAfter(response)));
            }
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutRejectedException or IOException)
        {
            var kind = e is HttpRequestException http ? http.HttpRequestError.ToString() : e is TimeoutRejectedException ? "timed out" : "I/O error";
            return (null, new StagingFailure(StagingFailureReason.SourceUnavailable, string.Create(CultureInfo.InvariantCulture, $"no answer from {who}: {kind}")));
        }
    }

    /// <summary>The whole answer as text.</summary>
    public async Task<(string? Text, StagingFailure? Failure)> SendForTextAsync(
        HttpRequestMessage request, string who, CancellationToken cancellationToken, string client = StoreClient)
    {
        var (response, failure) = await SendAsync(request, who, cancellationToken, client).ConfigureAwait(false);
        if (response is null) return (null, failure);
        using (response)
        {
            try
            {
                return (await TextAsync(response, cancellationToken).ConfigureAwait(false), null);
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                return (null, new StagingFailure(StagingFailureReason.SourceUnavailable, $"the connection broke while {who} answered"));
            }
        }
    }

    private static async Task<string> TextAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using var bounded = new BoundedStream(body, MostTextBytes);
        using var reader = new StreamReader(bounded, Encoding.UTF8);
        return await reader.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return JsonSerializer.Deserialize(await TextAsync(response, cancellationToken).ConfigureAwait(false), OciJson.Default.OciError)?.Code;
        }
        catch (Exception e) when (e is JsonException or IOException or HttpRequestException)
        {
            // An answer to HEAD has no body, a proxy's has no code.
            return null;
        }
    }
}
