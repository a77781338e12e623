using Ome.Shared.Domain.Models;

namespace Ome.Agent.Staging.Oci;

/// <summary>Which way of authenticating a model asks for (<c>parameters.auth</c>, contract 5.3). The shared ones are made once and keep their tokens.</summary>
internal sealed class OciAuthenticators(OciOptions options, TimeProvider time, OciHttp http, ISecretReader secrets) : IDisposable
{
    private const string ByInstance = "InstancePrincipal";
    private const string ByUser = "UserPrincipal";
    private const string ByResource = "ResourcePrincipal";
    private const string ByWorkload = "OkeWorkloadIdentity";
    private const string ByUrl = "PreAuthenticatedRequest";

    private readonly Dictionary<string, SigningAuthenticator> _shared = new(StringComparer.Ordinal)
    {
        [ByInstance] = new InstancePrincipal(options, time, http),
        [ByUser] = new UserPrincipal(options, time),
        [ByResource] = new ResourcePrincipal(options, time),
        [ByWorkload] = new WorkloadIdentity(options, time, http),
    };

    /// <summary>The authenticator, or a refusal that names what may stand there.</summary>
    public async Task<(IRequestAuthenticator? Authenticator, StagingFailure? Failure)> FindAsync(ModelSpec model, CancellationToken cancellationToken)
    {
        var name = model.Parameters.TryGetValue("auth", out var given) && given.Length > 0 ? given : ByInstance;
        if (_shared.TryGetValue(name, out var shared)) return (shared, null);
        if (name == ByUrl) return await ByUrlAsync(model, cancellationToken).ConfigureAwait(false);
        var known = string.Join(", ", _shared.Keys.Append(ByUrl).Order(StringComparer.Ordinal));
        return (null, new StagingFailure(StagingFailureReason.Refused, $"spec.storage.parameters.auth is '{name}': use one of {known}"));
    }

    public void Dispose()
    {
        foreach (var authenticator in _shared.Values) authenticator.Dispose();
    }

    // The address is the credential, so it lives in a Secret and nowhere else.
    private async Task<(IRequestAuthenticator? Authenticator, StagingFailure? Failure)> ByUrlAsync(ModelSpec model, CancellationToken cancellationToken)
    {
        var key = model.Parameters.TryGetValue("secretKey", out var named) && named.Length > 0 ? named : "url";
        var secretNamespace = model.Key.Kind == ModelKind.ClusterBaseModel ? options.AgentNamespace : model.Key.Namespace;
        if (string.IsNullOrEmpty(model.SecretName) || await secrets.ReadAsync(secretNamespace, model.SecretName, key, cancellationToken).ConfigureAwait(false) is not { } url)
        {
            return (null, new StagingFailure(
                StagingFailureReason.Unauthorized, $"spec.storage.parameters.auth is {ByUrl}: put its address under the key '{key}' of a Secret in {secretNamespace} and name it in spec.storage.key"));
        }

        return PreAuthenticatedRequest.TryCreate(url, out var authenticator)
            ? (authenticator, null)
            : (null, new StagingFailure(StagingFailureReason.Unauthorized, $"the value of '{key}' in the Secret {secretNamespace}/{model.SecretName} is no pre-authenticated request: it must be https://HOST/p/…/n/…/b/…/o/"));
    }
}

/// <summary>A pre-authenticated request: requests go to its own address and are not signed.</summary>
internal sealed class PreAuthenticatedRequest : IRequestAuthenticator
{
    private readonly string _origin;
    private readonly Secret _path;

    private PreAuthenticatedRequest(string origin, Secret path) => (_origin, _path) = (origin, path);

    public static bool TryCreate(Secret url, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PreAuthenticatedRequest? authenticator)
    {
        authenticator = null;
        if (!Uri.TryCreate(url.Reveal(), UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http")) return false;
        var at = address.AbsolutePath.IndexOf("/n/", StringComparison.Ordinal);
        if (at <= 3 || !address.AbsolutePath.StartsWith("/p/", StringComparison.Ordinal) || Secret.From(address.AbsolutePath[..at]) is not { } path) return false;
        authenticator = new(address.GetLeftPart(UriPartial.Authority), path);
        return true;
    }

    /// <inheritdoc/>
    public ValueTask<StagingFailure?> AuthenticateAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var target = request.RequestUri!;
        // The bucket's own address ends with a slash under a pre-authenticated request.
        var path = target.AbsolutePath.EndsWith("/o", StringComparison.Ordinal) ? target.AbsolutePath + "/" : target.AbsolutePath;
        if (!target.AbsolutePath.StartsWith("/p/", StringComparison.Ordinal)) request.RequestUri = new Uri(_origin + _path.Reveal() + path + target.Query);
        return ValueTask.FromResult<StagingFailure?>(null);
    }

    /// <inheritdoc/>
    public ValueTask<string?> RegionAsync(CancellationToken cancellationToken) =>
        // Its own address replaces whatever endpoint a region leads to.
        ValueTask.FromResult<string?>("any");

    /// <inheritdoc/>
    public void Forget()
    {
    }
}
