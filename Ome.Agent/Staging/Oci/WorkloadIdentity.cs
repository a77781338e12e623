using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Ome.Agent.Staging.Oci;

/// <summary><c>OkeWorkloadIdentity</c>: the pod's service-account token, exchanged at the cluster's own endpoint for a session token over a fresh key.</summary>
internal sealed class WorkloadIdentity(OciOptions options, TimeProvider time, OciHttp http) : SigningAuthenticator(time)
{
    /// <inheritdoc/>
    public override ValueTask<string?> RegionAsync(CancellationToken cancellationToken) => ValueTask.FromResult(options.ResourceRegion);

    protected override async Task<IdentityAnswer> MakeAsync(CancellationToken cancellationToken)
    {
        if (options.WorkloadTokenEndpoint is not { } endpoint) return IdentityAnswer.Refused("parameters.auth is OkeWorkloadIdentity outside a cluster: KUBERNETES_SERVICE_HOST is not set");
        if (await PrivateKeys.ReadFileAsync(options.ServiceAccountTokenPath, cancellationToken).ConfigureAwait(false) is not { Length: > 0 } account)
            return IdentityAnswer.Refused($"the service-account token {options.ServiceAccountTokenPath} cannot be read: does the pod mount it?");
        var session = RSA.Create(2048);
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint)
        {
            Content = new StringContent(JsonSerializer.Serialize(new WorkloadDetails(PrivateKeys.PublicKeyText(session)), OciJson.Default.WorkloadDetails), Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", account);
        var (text, failure) = await http.SendForTextAsync(request, "the cluster's token exchange", cancellationToken, OciHttp.ClusterClient).ConfigureAwait(false);
        if (text is null) return new(null, failure);
        if (TokenIn(text) is not { } token) return IdentityAnswer.Unavailable("the cluster's token exchange gives no token: workload identity needs an enhanced cluster");
        return new SigningIdentity("ST$" + token, session, PrivateKeys.ExpiryOf(token) ?? Time.GetUtcNow() + TimeSpan.FromMinutes(10));
    }

    // The answer is base64 of JSON, in quotes or not; the token in it may carry the mark that key ids begin with.
    private static string? TokenIn(string text)
    {
        try
        {
            var json = Encoding.UTF8.GetString(Convert.FromBase64String(text.Trim().Trim('"')));
            var token = InstancePrincipal.TokenIn(json);
            return token?.StartsWith("ST$", StringComparison.Ordinal) == true ? token[3..] : token;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
