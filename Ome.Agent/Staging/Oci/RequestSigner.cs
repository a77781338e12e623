using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ome.Agent.Staging.Oci;

/// <summary>
/// OCI's request signature, version 1: HTTP signatures (draft-cavage-http-signatures-08) with RSA-SHA256 over chosen headers.
/// </summary>
public static class RequestSigner
{
    /// <summary>Signed on every request.</summary>
    public static IReadOnlyList<string> Headers { get; } = ["date", "(request-target)", "host"];

    /// <summary>Signed in addition on a request with a body.</summary>
    public static IReadOnlyList<string> BodyHeaders { get; } = ["content-length", "content-type", "x-content-sha256"];

    /// <summary>Signed by the federation endpoint's rules, which leave the host out.</summary>
    public static IReadOnlyList<string> FederationHeaders { get; } = ["date", "(request-target)", "content-length", "content-type", "x-content-sha256"];

    /// <summary>Sets Date, for a body its digest, and Authorization.</summary>
    /// <param name="request">With an absolute address; its body, if any, is small and already in memory.</param>
    /// <param name="keyId">Who signs: tenancy/user/fingerprint, or <c>ST$</c> and a session token.</param>
    /// <param name="key">Private key of <paramref name="keyId"/>.</param>
    /// <param name="now">Must be within five minutes of the service's clock.</param>
    /// <param name="headers">Header names in order; null: <see cref="Headers"/>, and <see cref="BodyHeaders"/> when there is a body.</param>
    /// <param name="cancellationToken">Ends the reading of the body.</param>
    public static async Task SignAsync(
        HttpRequestMessage request, string keyId, RSA key, DateTimeOffset now, IReadOnlyList<string>? headers, CancellationToken cancellationToken)
    {
        request.Headers.Date = now;
        headers ??= request.Content is null ? Headers : [.. Headers, .. BodyHeaders];
        if (request.Content is { } content && headers.Contains("x-content-sha256", StringComparer.Ordinal))
        {
            var body = await content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            request.Headers.Remove("x-content-sha256");
            request.Headers.Add("x-content-sha256", Convert.ToBase64String(SHA256.HashData(body)));
            content.Headers.ContentLength = body.Length;
        }

        var text = SigningString(headers, name => ValueOf(request, name));
        request.Headers.Remove("Authorization");
        request.Headers.TryAddWithoutValidation("Authorization", Authorization(keyId, headers, Sign(text, key)));
    }

    /// <summary>What is signed: a line <c>name: value</c> for each header.</summary>
    public static string SigningString(IReadOnlyList<string> headers, Func<string, string> valueOf) =>
        string.Join('\n', headers.Select(name => $"{name}: {valueOf(name)}"));

    /// <summary>RSA-SHA256 with PKCS #1 v1.5 padding, as base64: the same text and key always give the same signature.</summary>
    public static string Sign(string signingString, RSA key) =>
        Convert.ToBase64String(key.SignData(Encoding.UTF8.GetBytes(signingString), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    /// <summary>The header's value.</summary>
    public static string Authorization(string keyId, IReadOnlyList<string> headers, string signature) =>
        $"Signature version=\"1\",headers=\"{string.Join(' ', headers)}\",keyId=\"{keyId}\",algorithm=\"rsa-sha256\",signature=\"{signature}\"";

    private static string ValueOf(HttpRequestMessage request, string name) => name switch
    {
        "(request-target)" => $"{request.Method.Method.ToLowerInvariant()} {request.RequestUri!.PathAndQuery}",
        "host" => request.Headers.Host ?? request.RequestUri!.Authority,
        "date" => request.Headers.Date!.Value.ToString("R", CultureInfo.InvariantCulture),
        "content-length" => request.Content!.Headers.ContentLength!.Value.ToString(CultureInfo.InvariantCulture),
        "content-type" => request.Content!.Headers.ContentType!.ToString(),
        _ => string.Join(", ", request.Headers.GetValues(name)),
    };
}
