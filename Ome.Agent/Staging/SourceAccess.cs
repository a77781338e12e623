using System.Diagnostics.CodeAnalysis;

namespace Ome.Agent.Staging;

/// <summary>
/// How one attempt gets at its source: token, signer, bucket. Found out once and used by all its requests, so that a download of hours asks the API server once
/// and outlives its outages; asked for again only when the source refuses it.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "nobody asks for the semaphore's wait handle, so there is nothing to dispose")]
internal sealed class SourceAccess
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private object? _kept;

    /// <summary>Opens a range with what is kept, and once more with what is found anew when the source refuses that.</summary>
    /// <param name="find">Finds it out; a failure is not kept.</param>
    /// <param name="open">Uses it.</param>
    /// <param name="cancellationToken">Ends both.</param>
    public async Task<OpenResult> OpenAsync<T>(Func<Task<(T? Access, StagingFailure? Failure)>> find, Func<T, Task<OpenResult>> open, CancellationToken cancellationToken)
        where T : class
    {
        for (var tries = 1; ; tries++)
        {
            var (access, failure) = await FindAsync(find, cancellationToken).ConfigureAwait(false);
            if (access is null) return new OpenResult.Failed(failure!);
            var result = await open(access).ConfigureAwait(false);
            if (tries == 2 || result is not OpenResult.Failed { Failure.Reason: StagingFailureReason.Unauthorized or StagingFailureReason.Gated }) return result;
            Interlocked.CompareExchange(ref _kept, null, access);
        }
    }

    /// <summary>What is kept, else what is found.</summary>
    public async Task<(T? Access, StagingFailure? Failure)> FindAsync<T>(Func<Task<(T? Access, StagingFailure? Failure)>> find, CancellationToken cancellationToken)
        where T : class
    {
        if (Volatile.Read(ref _kept) is T kept) return (kept, null);
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Volatile.Read(ref _kept) is T made) return (made, null);
            var found = await find().ConfigureAwait(false);
            Volatile.Write(ref _kept, found.Access);
            return found;
        }
        catch (HttpRequestException e)
        {
            return (null, new StagingFailure(StagingFailureReason.SourceUnavailable, $"the credentials cannot be read now: {e.Message}"));
        }
        finally
        {
            _one.Release();
        }
    }
}
