using System.Buffers;

namespace Ome.Agent.Staging;

/// <summary>
/// Moves one body into its run with two buffers: while one is digested and written, the other fills. Ends when the body does, when it is cut, or when
/// it stalls; what came in until then has been taken.
/// </summary>
internal sealed class BodyPump(FetchSharing sharing, Stream body, ChunkRun run, StagingMeter meter)
{
    /// <summary>Bytes that count as progress: a source that trickles less in the stall time is treated as one that gives nothing.</summary>
    public const long LeastProgress = 64 * 1024;

    private const int BufferSize = 1 << 20;

    private readonly ArrayPool<byte> _pool = ArrayPool<byte>.Shared;

    public async Task PumpAsync(CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (filling, draining) = (_pool.Rent(BufferSize), _pool.Rent(BufferSize));
        var wanted = run.End - run.Position;
        var fill = FillAsync(filling, wanted, end.Token);
        try
        {
            while (true)
            {
                var (count, more) = await fill.ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                (filling, draining) = (draining, filling);
                wanted -= count;
                more &= wanted > 0;
                if (more) fill = FillAsync(filling, wanted, end.Token);
                run.Take(draining.AsSpan(0, count));
                meter.Fetched(count);
                sharing.Flow.Fetched(count);
                await sharing.Budget.PayAsync(count, cancellationToken).ConfigureAwait(false);
                if (!more) return;
            }
        }
        finally
        {
            // A read that still runs owns its buffer: it must end before the buffer goes back.
            await end.CancelAsync().ConfigureAwait(false);
            await fill.ConfigureAwait(false);
            _pool.Return(filling);
            _pool.Return(draining);
        }
    }

    /// <summary>Fills a buffer as far as the body gives; never throws. More is false when the body ended, broke or stalled.</summary>
    private async Task<(int Count, bool More)> FillAsync(byte[] buffer, long wanted, CancellationToken cancellationToken)
    {
        var most = (int)Math.Min(BufferSize, wanted);
        var count = 0;
        using var stall = new CancellationTokenSource(sharing.Options.StallTimeout, sharing.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stall.Token);
        try
        {
            for (var nextReset = LeastProgress; count < most;)
            {
                var read = await body.ReadAsync(buffer.AsMemory(count, most - count), either.Token).ConfigureAwait(false);
                if (read == 0) return (count, false);
                count += read;
                if (count < nextReset) continue;
                stall.CancelAfter(sharing.Options.StallTimeout);
                nextReset = count + LeastProgress;
            }

            return (count, true);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or HttpRequestException)
        {
            return (count, false);
        }
    }
}
