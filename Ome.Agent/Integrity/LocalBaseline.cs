using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Threading.Channels;
using Ome.Agent.Hosting;
using Ome.Agent.Models;
using Ome.Agent.Verification;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Integrity;

/// <summary>
/// Hashes local models in the background, once, within the read budget: they are Ready as soon as they are there, and from here on their content can be
/// proven too. Until then nothing is known of their content: a file that was touched is taken as it is now. One that went, has another size or broke its own
/// format since is never taken for the truth: such a manifest is not saved, and the check speaks.
/// </summary>
public sealed partial class LocalBaseline(
    ModelCatalog catalog, ModelRecordStore records, ManifestStore manifests, ModelGates gates, ManifestBuilder builder, IntegrityService integrity,
    AgentOptions options, TimeProvider time, ILogger<LocalBaseline> logger) : BackgroundService
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<ModelKey, bool> _queued = new();
    private readonly ConcurrentDictionary<ModelKey, bool> _waiting = new();
    private readonly Channel<ModelKey> _keys = Channel.CreateUnbounded<ModelKey>(new UnboundedChannelOptions { SingleReader = true });

    // Touched by the one reader of the channel only.
    private readonly Dictionary<ModelKey, Refusal> _refused = [];

    /// <summary>What became of the last try.</summary>
    /// <param name="Times">Tries in a row that came to nothing.</param>
    /// <param name="Contradicted">The files that were read whole and contradict what is said of them: they are not read again while they stay as they are.</param>
    private sealed record Refusal(int Times, ImmutableArray<ManifestEntry> Contradicted);

    /// <summary>Has a Ready model's content hashed when its turn comes, if it is not yet.</summary>
    public void Add(ModelKey key)
    {
        if (_queued.TryAdd(key, true)) _keys.Writer.TryWrite(key);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var key in _keys.Reader.ReadAllAsync(stoppingToken))
            {
                _queued.TryRemove(key, out _);
                await TakeAsync(key, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task TakeAsync(ModelKey key, CancellationToken cancellationToken)
    {
        try
        {
            if (Wanted(key) is not { } record || await manifests.LoadAsync(key, cancellationToken) is not { } known || known.Entries.All(entry => entry.HasContentDigest))
            {
                _refused.Remove(key);
                return;
            }

            var request = new BuildRequest(record.StoragePath, options.BoundaryOf(record.StoragePath), known.Source, GroundTruth.None, SettleDelay: options.SettleDelay);
            // A look costs nothing beside the reading, and often says that there is nothing to be won by it.
            var look = await builder.BuildAsync(request with { ReadContent = false }, cancellationToken);
            if (Objection(known, look.Seen) is { } early)
            {
                Refuse(key, early, [], cancellationToken);
                return;
            }

            if (_refused.TryGetValue(key, out var refused) && !refused.Contradicted.IsEmpty && IsSame(refused.Contradicted, look.Seen))
            {
                Refuse(key, "its files are still what contradicted their digests", refused.Contradicted, cancellationToken);
                return;
            }

            await ReadAsync(key, record, known, request, cancellationToken);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            LogFailed(error, key);
            Refuse(key, error.Message, [], cancellationToken);
        }
    }

    private async Task ReadAsync(ModelKey key, ModelRecord record, ArtifactManifest known, BuildRequest request, CancellationToken cancellationToken)
    {
        var build = await builder.BuildAsync(request, cancellationToken);
        using var hold = await gates.EnterAsync(key, cancellationToken);
        if (Wanted(key) is not { } still || still.StoragePath != record.StoragePath) return;
        if (!build.IsAcceptable)
        {
            var why = build.Verdict.Findings.First(finding => finding.Reason is not (FindingReason.StructureInvalid or FindingReason.IndexIncomplete));
            Refuse(key, $"{why.Reason}{(why.Path is { } path ? $" of '{path}'" : "")}", build.Manifest is null ? [] : build.Seen, cancellationToken);
        }
        else if (Objection(known, build.Seen) is { } late)
        {
            Refuse(key, late, [], cancellationToken);
        }
        else
        {
            var manifest = build.Manifest!;
            _refused.Remove(key);
            await manifests.SaveAsync(key, manifest);
            manifests.BeginLedger(key, manifest, time.GetUtcNow());
            integrity.Schedule(key, atOnce: true);
            LogTaken(key, manifest.Entries.Length, build.Bytes);
        }
    }

    private ModelRecord? Wanted(ModelKey key) =>
        records.Find(key) is { Phase: ModelPhase.Ready } record && catalog.Find(key) is { Uri: StorageUri.Local } ? record : null;

    /// <summary>Why the files there are now cannot stand for those that became Ready; null when they can.</summary>
    private static string? Objection(ArtifactManifest known, ImmutableArray<ManifestEntry> seen)
    {
        var now = seen.ToDictionary(entry => entry.Path);
        foreach (var entry in known.Entries.Where(entry => !BesideArtifact.Contains(entry.Path.Value)))
        {
            if (!now.TryGetValue(entry.Path, out var found)) return $"'{entry.Path}' is not there";
            if (found.Size != entry.Size || found.LinkTarget != entry.LinkTarget) return $"'{entry.Path}' is not the file it was";
            if (!IsSame(entry, found) && found.Baseline.Except(entry.Baseline).Any()) return $"'{entry.Path}' was changed and breaks its own format now";
        }

        return null;
    }

    private static bool IsSame(ImmutableArray<ManifestEntry> one, ImmutableArray<ManifestEntry> other)
    {
        var paths = other.ToDictionary(entry => entry.Path);
        return one.Length == other.Length && one.All(entry => paths.TryGetValue(entry.Path, out var found) && IsSame(entry, found));
    }

    private static bool IsSame(ManifestEntry one, ManifestEntry other) => one.LinkTarget == other.LinkTarget
        && (one.Stamp.Size, one.Stamp.MtimeNs, one.Stamp.Inode) == (other.Stamp.Size, other.Stamp.MtimeNs, other.Stamp.Inode);

    private void Refuse(ModelKey key, string why, ImmutableArray<ManifestEntry> contradicted, CancellationToken cancellationToken)
    {
        var times = _refused.TryGetValue(key, out var before) ? before.Times + 1 : 1;
        _refused[key] = new Refusal(times, contradicted);
        var pause = TimeSpan.FromTicks(Math.Min(LastRetry.Ticks, FirstRetry.Ticks << Math.Min(times - 1, 10)));
        LogNotTaken(key, why, DurationText.Format(pause));
        if (_waiting.TryAdd(key, true)) _ = AgainAsync(key, pause, cancellationToken);
    }

    private async Task AgainAsync(ModelKey key, TimeSpan pause, CancellationToken cancellationToken)
    {
        await Task.Delay(pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _waiting.TryRemove(key, out _);
        if (!cancellationToken.IsCancellationRequested) Add(key);
    }

    [LoggerMessage(EventId = 2221, Level = LogLevel.Information, Message = "{Model} is hashed: {Files} files, {Bytes} bytes; its content is checked from now on (trust=local)")]
    private partial void LogTaken(ModelKey model, int files, long bytes);

    [LoggerMessage(EventId = 2222, Level = LogLevel.Warning, Message = "{Model} could not be hashed yet: {Why}; looked at again in {Pause}")]
    private partial void LogNotTaken(ModelKey model, string why, string pause);

    [LoggerMessage(EventId = 2223, Level = LogLevel.Warning, Message = "Hashing {Model} failed")]
    private partial void LogFailed(Exception error, ModelKey model);
}
