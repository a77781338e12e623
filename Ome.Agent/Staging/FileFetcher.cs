using System.Collections.Concurrent;
using System.IO.Hashing;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Staging;

/// <summary>What all fetches of the agent share.</summary>
internal sealed record FetchSharing(StagingOptions Options, SemaphoreSlim Connections, TransferBudget Budget, TimeProvider Time, StagingFlow Flow);

/// <summary>
/// Brings the missing chunks of one side file in, over one connection or several. A cut costs nothing but the reconnect: the next range starts at
/// the very next byte.
/// </summary>
internal sealed class FileFetcher(
    FetchSharing sharing, IArtifactSource source, SourceRequest request, ArtifactListing listing, PartFile part, StagingMeter meter)
{
    /// <summary>So many connections that brought a little wear patience as much as one that brought nothing.</summary>
    private const int LittleForNothing = 8;

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>Fetches everything missing; null when all chunks are there, else why not.</summary>
    public async Task<StagingFailure?> FetchAsync(int connections, CancellationToken cancellationToken)
    {
        // One connection reads on through the file, so that all bytes pass the digests in order; several take a chunk each.
        var runs = new ConcurrentQueue<(int First, int Last)>(part.MissingRuns(connections == 1 ? int.MaxValue : 1));
        if (runs.IsEmpty) return null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var workers = Enumerable.Range(0, Math.Min(connections, runs.Count)).Select(_ => WorkAsync(runs, stop)).ToList();
        var endings = await Task.WhenAll(workers).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return endings.FirstOrDefault(ending => ending is not null);
    }

    private async Task<StagingFailure?> WorkAsync(ConcurrentQueue<(int First, int Last)> runs, CancellationTokenSource stop)
    {
        try
        {
            while (runs.TryDequeue(out var run))
            {
                await sharing.Connections.WaitAsync(stop.Token).ConfigureAwait(false);
                StagingFailure? failure;
                try
                {
                    failure = await FetchRunAsync(new ChunkRun(part, run.First, run.Last), stop.Token).ConfigureAwait(false);
                }
                finally
                {
                    sharing.Connections.Release();
                }

                if (failure is null) continue;
                await stop.CancelAsync().ConfigureAwait(false);
                return failure;
            }

            return null;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The caller gave up, or another worker failed and has the reason.
            return null;
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<StagingFailure?> FetchRunAsync(ChunkRun run, CancellationToken cancellationToken)
    {
        var pause = sharing.Options.ReconnectDelay;
        var patience = sharing.Options.FruitlessReconnects * LittleForNothing;
        while (run.Position < run.End)
        {
            var before = run.Position;
            var opened = await source.OpenAsync(request, listing, part.File, run.Position, run.End - run.Position, cancellationToken).ConfigureAwait(false);
            var cost = LittleForNothing;
            if (opened is OpenResult.Failed { Failure: var refused })
            {
                // The source has tried several times itself, so this wears patience sooner; every other refusal is final.
                cost *= 2;
                if (refused.Reason != StagingFailureReason.SourceUnavailable || patience < cost) return refused with { Path = part.File.Path };
            }
            else
            {
                await using var body = ((OpenResult.Opened)opened).Body;
                await new BodyPump(sharing, body, run, meter).PumpAsync(cancellationToken).ConfigureAwait(false);
            }

            if (run.Position == run.End) break;
            meter.Reconnected();
            var got = run.Position - before;
            if (got >= BodyPump.LeastProgress)
            {
                (patience, pause) = (sharing.Options.FruitlessReconnects * LittleForNothing, sharing.Options.ReconnectDelay);
                continue;
            }

            patience -= got == 0 ? cost : 1;
            if (patience < 0)
            {
                return new StagingFailure(
                    StagingFailureReason.SourceUnavailable, $"connection after connection broke at byte {run.Position} of {part.File.Size}", Path: part.File.Path);
            }

            if (got > 0) continue;
            await Task.Delay(pause, sharing.Time, cancellationToken).ConfigureAwait(false);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }

        return null;
    }
}

/// <summary>A run of chunks being filled by one connection after the other.</summary>
internal sealed class ChunkRun(PartFile part, int first, int last)
{
    private readonly XxHash128 _hash = new();
    private int _chunk = first;

    /// <summary>Next byte wanted.</summary>
    public long Position { get; private set; } = first * ArtifactManifest.ChunkSize;

    public long End { get; } = Math.Min(part.File.Size, (last + 1L) * ArtifactManifest.ChunkSize);

    /// <summary>Takes the next bytes: to disk, into the chunk's digest, and into the file's when they are in order.</summary>
    public void Take(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var chunkEnd = Math.Min(End, (_chunk + 1L) * ArtifactManifest.ChunkSize);
            var take = bytes[..(int)Math.Min(bytes.Length, chunkEnd - Position)];
            part.Write(take, Position);
            _hash.Append(take);
            Position += take.Length;
            bytes = bytes[take.Length..];
            if (Position < chunkEnd) continue;
            var hash = _hash.GetCurrentHashAsUInt128();
            _hash.Reset();
            part.Complete(_chunk++, hash);
        }
    }
}
