namespace Ome.Agent.Staging.Oci;

/// <summary><c>ResourcePrincipal</c> version 2.2: a session token and its key, given by the platform as values or as files it keeps fresh.</summary>
internal sealed class ResourcePrincipal(OciOptions options, TimeProvider time) : SigningAuthenticator(time)
{
    // A token without a readable end: look at its file again soon.
    private static readonly TimeSpan Unsaid = TimeSpan.FromMinutes(10);

    /// <inheritdoc/>
    public override async ValueTask<string?> RegionAsync(CancellationToken cancellationToken) =>
        options.ResourceRegion is { } region ? await PrivateKeys.ValueOrFileAsync(region, cancellationToken).ConfigureAwait(false) : null;

    protected override async Task<IdentityAnswer> MakeAsync(CancellationToken cancellationToken)
    {
        if (options.ResourceVersion is not (null or "2.2"))
            return IdentityAnswer.Refused($"OCI_RESOURCE_PRINCIPAL_VERSION is '{options.ResourceVersion}': this agent serves 2.2");
        if (options.ResourceToken is null || options.ResourceKey is null)
            return IdentityAnswer.Refused("parameters.auth is ResourcePrincipal: set OCI_RESOURCE_PRINCIPAL_RPST and OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM");
        var token = await PrivateKeys.ValueOrFileAsync(options.ResourceToken, cancellationToken).ConfigureAwait(false);
        if (token is null) return IdentityAnswer.Refused("the file that OCI_RESOURCE_PRINCIPAL_RPST names cannot be read");
        var pem = await PrivateKeys.ValueOrFileAsync(options.ResourceKey.Reveal(), cancellationToken).ConfigureAwait(false);
        if (pem is null) return IdentityAnswer.Refused("the file that OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM names cannot be read");
        var passphrase = options.ResourceKeyPassphrase is { } phrase ? await PrivateKeys.ValueOrFileAsync(phrase.Reveal(), cancellationToken).ConfigureAwait(false) : null;
        return PrivateKeys.Read(pem, passphrase) is { } key
            ? new SigningIdentity("ST$" + token, key, PrivateKeys.ExpiryOf(token) ?? Time.GetUtcNow() + Unsaid)
            : IdentityAnswer.Refused("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM is no RSA key in PEM that its pass phrase opens");
    }
}
