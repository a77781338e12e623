namespace Ome.Agent.Staging;

/// <summary>
/// Bytes a second over all downloads of the agent. Takers pay for a block after they received it and wait until it is paid off, so over any
/// span the rate is exceeded by no more than a quarter of a second's worth and a block per connection.
/// </summary>
public sealed class TransferBudget(long bytesPerSecond, TimeProvider time)
{
    private static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private long _freeAt = time.GetTimestamp();

    /// <summary>Returns when the bytes are paid for; 0 bytes per second means no limit.</summary>
    public async ValueTask PayAsync(long bytes, CancellationToken cancellationToken)
    {
        if (bytesPerSecond <= 0) return;
        TimeSpan wait;
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var earliest = now - (long)(Burst.TotalSeconds * time.TimestampFrequency);
            _freeAt = Math.Max(_freeAt, earliest) + (long)((double)bytes / bytesPerSecond * time.TimestampFrequency);
            wait = time.GetElapsedTime(now, _freeAt);
        }

        if (wait > TimeSpan.Zero) await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
    }
}
