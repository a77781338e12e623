using System.Net;
using k8s.Autorest;
using k8s.LeaderElection;

namespace Ome.Shared.Kube;

/// <summary>
/// Keeps one broken connection from costing the leadership: the elector gives up at the first exception that is not a failed
/// request, so what the network does is told to it as one, and it tries again until its renew deadline.
/// </summary>
internal sealed class PatientLock(ILock inner) : ILock
{
    // Set as long as the last write of this process made or kept it the holder.
    private LeaderElectionRecord? _held;

    public string Identity => inner.Identity;

    public string Describe() => inner.Describe();

    public async Task<LeaderElectionRecord> GetAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await inner.GetAsync(cancellationToken);
        }
        catch (Exception trouble) when (IsTransport(trouble, cancellationToken))
        {
            using var unavailable = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
            throw new HttpOperationException(trouble.Message, trouble) { Response = new HttpResponseMessageWrapper(unavailable, string.Empty) };
        }
    }

    public Task<bool> CreateAsync(LeaderElectionRecord record, CancellationToken cancellationToken = default) =>
        WriteAsync(inner.CreateAsync, record, cancellationToken);

    public Task<bool> UpdateAsync(LeaderElectionRecord record, CancellationToken cancellationToken = default) =>
        WriteAsync(inner.UpdateAsync, record, cancellationToken);

    internal async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _held, null) is not { } held) return;
        if ((await GetAsync(cancellationToken))?.HolderIdentity != Identity) return;
        held.HolderIdentity = string.Empty;
        held.LeaseDurationSeconds = 1;
        await inner.UpdateAsync(held, cancellationToken);
    }

    private static bool IsTransport(Exception trouble, CancellationToken cancellationToken) =>
        trouble is HttpRequestException or IOException || (trouble is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private async Task<bool> WriteAsync(
        Func<LeaderElectionRecord, CancellationToken, Task<bool>> write, LeaderElectionRecord record, CancellationToken cancellationToken)
    {
        try
        {
            var isWritten = await write(record, cancellationToken);
            if (isWritten) Volatile.Write(ref _held, record);
            return isWritten;
        }
        catch (Exception trouble) when (IsTransport(trouble, cancellationToken))
        {
            return false;
        }
    }
}
