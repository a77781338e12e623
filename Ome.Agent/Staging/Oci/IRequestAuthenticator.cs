namespace Ome.Agent.Staging.Oci;

/// <summary>
/// One way to be somebody at OCI. Promises: a failure is a value that names the setting to look at and holds no secret; tokens are renewed before they
/// end, by one caller at a time; safe to call from several threads.
/// </summary>
public interface IRequestAuthenticator
{
    /// <summary>Makes a request acceptable, usually by signing it. Called again for every try, since a signature holds the time.</summary>
    /// <returns>Why it cannot; null when done.</returns>
    ValueTask<StagingFailure?> AuthenticateAsync(HttpRequestMessage request, CancellationToken cancellationToken);

    /// <summary>The region its credentials belong to; null when they say nothing.</summary>
    ValueTask<string?> RegionAsync(CancellationToken cancellationToken);

    /// <summary>The service refused (401): forget what was cached.</summary>
    void Forget();
}

/// <summary>Who signs, with what, until when.</summary>
/// <param name="KeyId">As <see cref="RequestSigner"/> takes it; holds a token for session keys, so it is never shown.</param>
/// <param name="Key">Owned by whoever made it.</param>
/// <param name="Expires">When to have a new one; null for keys without end.</param>
internal sealed record SigningIdentity(string KeyId, System.Security.Cryptography.RSA Key, DateTimeOffset? Expires)
{
    /// <summary>Nothing of it may be shown.</summary>
    public override string ToString() => "***";
}

/// <summary>An identity, or why there is none.</summary>
internal readonly record struct IdentityAnswer(SigningIdentity? Identity, StagingFailure? Failure)
{
    public static implicit operator IdentityAnswer(SigningIdentity identity) => new(identity, null);

    public static IdentityAnswer Refused(string message) => new(null, new StagingFailure(StagingFailureReason.Unauthorized, message));

    public static IdentityAnswer Unavailable(string message) => new(null, new StagingFailure(StagingFailureReason.SourceUnavailable, message));
}
