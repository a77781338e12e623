namespace Ome.Agent.Staging.Oci;

/// <summary>Signs requests with an identity that is made on first use and made anew before it ends.</summary>
internal abstract class SigningAuthenticator(TimeProvider time) : IRequestAuthenticator, IDisposable
{
    // Old enough to outlast clock differences and a slow request, young enough to use most of a token's life.
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _one = new(1, 1);
    private volatile SigningIdentity? _identity;

    protected TimeProvider Time { get; } = time;

    /// <inheritdoc/>
    public async ValueTask<StagingFailure?> AuthenticateAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var (identity, failure) = await IdentityAsync(cancellationToken).ConfigureAwait(false);
        if (identity is null) return failure;
        await RequestSigner.SignAsync(request, identity.KeyId, identity.Key, Time.GetUtcNow(), null, cancellationToken).ConfigureAwait(false);
        return null;
    }

    /// <inheritdoc/>
    public virtual ValueTask<string?> RegionAsync(CancellationToken cancellationToken) => ValueTask.FromResult<string?>(null);

    /// <inheritdoc/>
    public void Forget() => _identity = null;

    public void Dispose()
    {
        _one.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Makes an identity: reads files, asks the metadata service, exchanges tokens.</summary>
    protected abstract Task<IdentityAnswer> MakeAsync(CancellationToken cancellationToken);

    private async ValueTask<IdentityAnswer> IdentityAsync(CancellationToken cancellationToken)
    {
        if (Current() is { } current) return current;
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Current() is { } made) return made;
            // The old key is left to the collector: another thread may be signing with it.
            var answer = await MakeAsync(cancellationToken).ConfigureAwait(false);
            _identity = answer.Identity;
            return answer;
        }
        finally
        {
            _one.Release();
        }
    }

    private SigningIdentity? Current() => _identity is { } identity && (identity.Expires is not { } end || Time.GetUtcNow() < end - Margin) ? identity : null;
}
