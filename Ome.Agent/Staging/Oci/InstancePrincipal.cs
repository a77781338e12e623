using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Ome.Agent.Staging.Oci;

/// <summary>
/// <c>InstancePrincipal</c>: the instance's certificate from the metadata service (version 2), exchanged at the federation endpoint for a session token
/// over a key that never leaves this process.
/// </summary>
internal sealed class InstancePrincipal(OciOptions options, TimeProvider time, OciHttp http) : SigningAuthenticator(time)
{
    private readonly Uri _metadata = new(options.MetadataEndpoint.TrimEnd('/') + "/");

    private string? _region;

    /// <inheritdoc/>
    public override async ValueTask<string?> RegionAsync(CancellationToken cancellationToken)
    {
        if (_region is null && await MetadataAsync("instance/region", cancellationToken).ConfigureAwait(false) is { } region) _region = OciRegion.Named(region);
        return _region;
    }

    protected override async Task<IdentityAnswer> MakeAsync(CancellationToken cancellationToken)
    {
        var pem = await MetadataAsync("identity/cert.pem", cancellationToken).ConfigureAwait(false);
        var keyPem = await MetadataAsync("identity/key.pem", cancellationToken).ConfigureAwait(false);
        var between = await MetadataAsync("identity/intermediate.pem", cancellationToken).ConfigureAwait(false);
        if (pem is null || keyPem is null || between is null)
            return IdentityAnswer.Unavailable($"the metadata service at {_metadata.Host} gives this instance no identity: is this an OCI instance, and may its pods reach the service?");
        using var leafKey = PrivateKeys.Read(keyPem, null);
        using var leaf = ReadCertificate(pem);
        using var intermediate = ReadCertificate(between);
        if (leafKey is null || leaf is null || intermediate is null || TenancyOf(leaf) is not { } tenancy)
            return IdentityAnswer.Refused("the metadata service's certificate names no tenancy, or its key cannot be read");
        if (await FederationAsync(cancellationToken).ConfigureAwait(false) is not { } endpoint)
            return IdentityAnswer.Unavailable("the metadata service gives no region and OCI_SDK_AUTH_CLIENT_REGION_URL is not set");

        var session = RSA.Create(2048);
        var details = new FederationDetails(
            Convert.ToBase64String(leaf.RawData), PrivateKeys.PublicKeyText(session), [Convert.ToBase64String(intermediate.RawData)], "DEFAULT", "SHA256");
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = Json(details) };
        await RequestSigner.SignAsync(request, $"{tenancy}/fed-x509-sha256/{Fingerprint(leaf)}", leafKey, Time.GetUtcNow(), RequestSigner.FederationHeaders, cancellationToken).ConfigureAwait(false);
        var (text, failure) = await http.SendForTextAsync(request, "the federation endpoint", cancellationToken).ConfigureAwait(false);
        if (text is null) return new(null, failure);
        if (TokenIn(text) is not { } token) return IdentityAnswer.Unavailable("the federation endpoint's answer holds no token");
        return new SigningIdentity("ST$" + token, session, PrivateKeys.ExpiryOf(token) ?? Time.GetUtcNow() + TimeSpan.FromMinutes(10));
    }

    private async Task<Uri?> FederationAsync(CancellationToken cancellationToken)
    {
        if (options.AuthEndpoint is { } given) return new Uri(given.TrimEnd('/') + "/v1/x509");
        var region = await RegionAsync(cancellationToken).ConfigureAwait(false) ?? options.Region;
        return region is not null && OciRegion.IsName(region) ? new Uri(OciRegion.EndpointOf("auth", region, options.RealmDomain), "v1/x509") : null;
    }

    private async Task<string?> MetadataAsync(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_metadata, path));
        // A fixed word: it keeps requests out that somebody else makes a server send.
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "Oracle");
        return (await http.SendForTextAsync(request, "the metadata service", cancellationToken).ConfigureAwait(false)).Text?.Trim();
    }

    private static X509Certificate2? ReadCertificate(string pem)
    {
        try
        {
            return X509Certificate2.CreateFromPem(pem);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>The tenancy, which the subject holds as <c>opc-tenant:</c> or <c>opc-identity:</c> in one of its names.</summary>
    internal static string? TenancyOf(X509Certificate2 certificate)
    {
        foreach (var name in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (name.HasMultipleElements || name.GetSingleElementValue() is not { } value) continue;
            foreach (var mark in new[] { "opc-tenant:", "opc-identity:" })
            {
                if (value.IndexOf(mark, StringComparison.Ordinal) is var at and >= 0) return value[(at + mark.Length)..];
            }
        }

        return null;
    }

    private static string Fingerprint(X509Certificate2 certificate) => string.Join(':', SHA256.HashData(certificate.RawData).Select(value => value.ToString("X2", null)));

    internal static string? TokenIn(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, OciJson.Default.TokenAnswer)?.Token is { Length: > 0 } token ? token : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ByteArrayContent Json(FederationDetails details)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(details, OciJson.Default.FederationDetails));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }
}
