using System.Collections.Immutable;
using Ome.Agent.Files;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Staging;

/// <summary>What to stage and where.</summary>
/// <param name="Model">The model; names its credentials.</param>
/// <param name="Uri">Its parsed source.</param>
/// <param name="Destination">Resolved by <see cref="DestinationRule"/>.</param>
/// <param name="Node">The node, for sources that filter by its shape.</param>
/// <param name="Damaged">Files that a check proved bad: fetched anew whatever their stamps or a read through the page cache say.</param>
public sealed record StagingRequest(
    ModelSpec Model, StorageUri Uri, string Destination, NodeFacts? Node = null, IReadOnlySet<ArtifactPath>? Damaged = null)
{
    /// <summary>The download policy changed: whether the model has own files or a link is decided anew, complete or not.</summary>
    public bool Reconsiders { get; init; }

    /// <summary>A link at the destination gives way to own files, once all of them are there.</summary>
    internal bool ReplacesLink { get; init; }
}

/// <summary>
/// Brings an artifact to the node and proves it on the way: bytes go to a side directory, are digested as they are written, flushed, and renamed to
/// their final names once all of them are proven; the manifest comes last. Whatever stops it, the next call goes on from what is proven. At most
/// one staging of a destination runs at a time.
/// </summary>
public sealed partial class ArtifactStager : IDisposable
{
    private readonly ArtifactSourceCatalog _sources;
    private readonly StagingLayout _layout;
    private readonly IManifestStore _manifests;
    private readonly LocalArtifact _local;
    private readonly StagingDisk _disk;
    private readonly StagingOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<ArtifactStager> _logger;
    private readonly FetchSharing _sharing;
    private readonly KeyedLocks _locks = new();

    public ArtifactStager(
        ArtifactSourceCatalog sources, StagingLayout layout, IManifestStore manifests, StagingDisk disk, StagingOptions options, StagingFlow flow, TimeProvider time,
        ILogger<ArtifactStager> logger, IStructureReader? structure = null)
    {
        (_sources, _layout, _manifests, _disk, _options, _time, _logger) = (sources, layout, manifests, disk, options, time, logger);
        _local = new LocalArtifact(disk, layout, structure, options, time, logger);
        _sharing = new FetchSharing(options, new SemaphoreSlim(options.Connections), new TransferBudget(options.BytesPerSecond, time), time, flow);
    }

    /// <summary>Stages a model; a model that is complete already costs a stat per file and asks nobody.</summary>
    /// <exception cref="OperationCanceledException">Cancelled: within a second, whatever the source does.</exception>
    public async Task<StagingResult> StageAsync(StagingRequest request, IProgress<StagingProgress>? progress, CancellationToken cancellationToken)
    {
        if (request.Uri is StorageUri.Vendor) return new StagingResult.NothingToProve("vendor:// models are served by their vendor: no file of theirs lies on the node");
        using var held = await HoldAsync(request.Destination, cancellationToken).ConfigureAwait(false);
        var result = await CaughtAsync(request, progress, cancellationToken).ConfigureAwait(false);
        if (result is StagingResult.Failed { Failure: var failure })
        {
            LogFailed(request.Model.Key, failure.Reason, failure.Message, failure.Path?.Value);

            // A full disk is everybody's: the half of a model that cannot be finished gives its room back.
            if (failure.Reason == StagingFailureReason.DiskFull) Discard(_layout.SideDirectory(request.Destination));
        }

        return result;
    }

    internal FetchSharing Sharing => _sharing;

    /// <summary>Keeps staging, repair, removal and linking away from directories until disposed.</summary>
    internal Task<IDisposable> HoldAsync(string destination, CancellationToken cancellationToken) => _locks.TakeAsync(StagingLayout.IdOf(destination), cancellationToken);

    /// <inheritdoc cref="HoldAsync(string, CancellationToken)"/>
    internal Task<IDisposable> HoldAllAsync(IEnumerable<string> destinations, CancellationToken cancellationToken) =>
        _locks.TakeAllAsync(destinations.Select(StagingLayout.IdOf), cancellationToken);

    /// <summary>The model's manifest, if it is about these files and every one of them is as it was when it was proven; its directory may be a link.</summary>
    internal async Task<ArtifactManifest?> FindCompleteAsync(StagingRequest request, CancellationToken cancellationToken)
    {
        if (_layout.Refuse(_disk, request.Destination, mayBeLink: true) is not null) return null;
        var known = await _manifests.LoadAsync(request.Model.Key, cancellationToken).ConfigureAwait(false);
        return known is not null && known.Source.SameSpec(new SourceIdentity(request.Uri.Text, request.Destination, null)) && IsComplete(known) ? known : null;
    }

    /// <summary>
    /// The manifest a model would have if its files were those in another directory: every listed file is there and proven, by that directory's own manifest
    /// or by reading it. Null when one is not. Changes nothing.
    /// </summary>
    internal async Task<ArtifactManifest?> ProveInPlaceAsync(
        StagingRequest request, string directory, ArtifactListing listing, ArtifactManifest? known, CancellationToken cancellationToken)
    {
        var entries = new List<ManifestEntry>();
        var former = (known is not null && known.Source.StoragePath == directory ? known.Entries : []).ToDictionary(entry => entry.Path);
        foreach (var file in listing.Files)
        {
            var proven = await FileStager.ProveAsync(_disk, directory, file, former.GetValueOrDefault(file.Path), cancellationToken).ConfigureAwait(false);
            if (proven is null || _disk.Look(StagingLayout.FileOf(directory, file.Path)) is not (FileType.Regular, var stamp, _) || !proven.IsAt(stamp)) return null;
            entries.Add(new ManifestEntry(file.Path, stamp, null, proven.Sha256, proven.File.Digests, proven.Chunks, []));
        }

        var trust = entries.TrueForAll(entry => !entry.Upstream.IsEmpty) ? ManifestTrust.Upstream : ManifestTrust.Local;
        return new ArtifactManifest(new SourceIdentity(request.Uri.Text, request.Destination, listing.Revision), trust, _time.GetUtcNow(), entries);
    }

    /// <summary>Gives back what an unfinished staging of a destination holds, for a model that is gone.</summary>
    public async Task AbandonAsync(string destination, CancellationToken cancellationToken)
    {
        using var held = await HoldAsync(destination, cancellationToken).ConfigureAwait(false);
        Discard(_layout.SideDirectory(destination));
        Discard(_layout.RepairDirectory(destination));
    }

    /// <summary>Removes side directories of no known destination: of models whose record was lost, so that no removal gives them back.</summary>
    /// <param name="destinations">All that are known at the moment of asking; one is known before its staging begins.</param>
    /// <param name="cancellationToken">Ends it between two directories.</param>
    public async Task SweepAsync(Func<IEnumerable<string>> destinations, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(_layout.StagingRoot)) return;
        foreach (var directory in Directory.GetDirectories(_layout.StagingRoot))
        {
            var owner = StagingLayout.OwnerOf(directory);
            // A link there is one that sharing is about to rename.
            if (_disk.Look(directory) is not (FileType.Directory, _, _) || IsKnown(owner)) continue;
            using var held = await _locks.TakeAsync(owner, cancellationToken).ConfigureAwait(false);
            // Asked again: its model may have come, or come back, before the lock was ours.
            if (!IsKnown(owner)) Discard(directory);
        }

        bool IsKnown(string owner) => destinations().Any(destination => StagingLayout.IdOf(destination) == owner);
    }

    public void Dispose()
    {
        _sharing.Connections.Dispose();
        _locks.Dispose();
    }

    private async Task<StagingResult> CaughtAsync(StagingRequest request, IProgress<StagingProgress>? progress, CancellationToken cancellationToken)
    {
        try
        {
            return await (request.Uri is StorageUri.Local
                ? LocalAsync(request, progress, cancellationToken)
                : RemoteAsync(request, progress, cancellationToken)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var reason = StagingDisk.IsFull(e) ? StagingFailureReason.DiskFull : StagingFailureReason.DiskError;
            return new StagingResult.Failed(new StagingFailure(reason, $"writing below '{_layout.ModelsRoot}' failed: {e.Message}"));
        }
    }

    private async Task<StagingResult> LocalAsync(StagingRequest request, IProgress<StagingProgress>? progress, CancellationToken cancellationToken)
    {
        var known = await _manifests.LoadAsync(request.Model.Key, cancellationToken).ConfigureAwait(false);
        var result = await _local.AdoptAsync(request, known, new StagingMeter(progress, _time, _options.ProgressInterval), cancellationToken).ConfigureAwait(false);
        if (result is StagingResult.Staged { Manifest: var manifest } && manifest != known) await _manifests.SaveAsync(request.Model.Key, manifest).ConfigureAwait(false);
        return result;
    }

    private async Task<StagingResult> RemoteAsync(StagingRequest request, IProgress<StagingProgress>? progress, CancellationToken cancellationToken)
    {
        var meter = new StagingMeter(progress, _time, _options.ProgressInterval);
        var replaces = request.ReplacesLink && _disk.Look(request.Destination) is (FileType.Link, _, _);
        if (_layout.Refuse(_disk, request.Destination, mayBeLink: replaces) is { } unsafePath) return new StagingResult.Failed(unsafePath);
        if (!_sources.TryGet(request.Uri, out var source, out var refusal)) return new StagingResult.Failed(refusal);

        var identity = new SourceIdentity(request.Uri.Text, request.Destination, null);
        var known = await _manifests.LoadAsync(request.Model.Key, cancellationToken).ConfigureAwait(false);
        if (known is not null && !known.Source.SameSpec(identity)) known = null;
        var damaged = request.Damaged ?? ImmutableHashSet<ArtifactPath>.Empty;
        if (known is not null && damaged.Count == 0 && !replaces && IsComplete(known)) return new StagingResult.Staged(known, new StagingTally(0, known.TotalBytes, 0));

        meter.Begin(StagingPhase.Scanning, 0, 0);
        var side = _layout.SideDirectory(request.Destination);
        var record = new StagingRecord(_disk, side);
        var asked = new SourceRequest(request.Model, request.Uri, request.Node, known?.Source.Revision);
        var listing = record.LoadListing(identity);
        if (listing is null)
        {
            Discard(side);
            var listed = await source.ListAsync(asked, cancellationToken).ConfigureAwait(false);
            if (listed is ListingResult.Failed { Failure.Reason: StagingFailureReason.NotFound } && asked.PinnedRevision is not null)
            {
                // The commit of the former manifest was deleted at the source; what the model asks for may be there still.
                listed = await source.ListAsync(asked with { PinnedRevision = null }, cancellationToken).ConfigureAwait(false);
            }

            if (listed is ListingResult.Failed failed) return new StagingResult.Failed(failed.Failure);
            listing = ((ListingResult.Listed)listed).Listing;
            record.SaveListing(identity, listing);
        }

        // What is served through a link stays so until all own files are there.
        var place = replaces ? record.WholePath : request.Destination;
        Directory.CreateDirectory(place);
        asked = asked with { PinnedRevision = listing.Revision };
        LogStaging(request.Model.Key, listing.Files.Length, listing.TotalBytes, listing.Revision);
        if (listing.Files.Count(file => !file.CanBeProven) is > 0 and var bySize) LogBySize(request.Model.Key, bySize, listing.Files.First(file => !file.CanBeProven).Path.Value);
        var files = new FileStager(_disk, _sharing, source, asked, listing, place, record, known, meter, _options.FreeSpaceReserve, damaged);
        var (proven, failure) = await StageFilesAsync(listing, files, place, meter, cancellationToken).ConfigureAwait(false);
        if (failure is not null)
        {
            // A listing whose content is gone at the source is no good for a resume; the next try lists anew.
            if (failure.Reason is StagingFailureReason.SourceChanged or StagingFailureReason.NotFound) Discard(side);
            return new StagingResult.Failed(failure);
        }

        meter.Begin(StagingPhase.Finalizing, listing.TotalBytes, listing.Files.Length);
        var manifest = new StagingCommit(_disk, record, identity with { Revision = listing.Revision }, _time.GetUtcNow()).Commit(place, proven, known);
        if (replaces)
        {
            _disk.Exchange(place, request.Destination);
            _disk.FlushDirectory(Path.GetDirectoryName(request.Destination)!);
        }

        await _manifests.SaveAsync(request.Model.Key, manifest).ConfigureAwait(false);
        Discard(side);
        LogStaged(request.Model.Key, listing.TotalBytes, meter.Tally.BytesFetched, meter.Tally.BytesReused, meter.Tally.Reconnects);
        return new StagingResult.Staged(manifest, meter.Tally);
    }

    private async Task<(ImmutableArray<ProvenFile> Proven, StagingFailure? Failure)> StageFilesAsync(
        ArtifactListing listing, FileStager files, string destination, StagingMeter meter, CancellationToken cancellationToken)
    {
        var proven = new ProvenFile?[listing.Files.Length];
        for (var i = 0; i < proven.Length; i++) proven[i] = files.FromNotes(i);
        var missing = Enumerable.Range(0, proven.Length).Where(i => proven[i] is null).OrderByDescending(i => listing.Files[i].Size).ToList();

        // What lies under its final name may be adopted or replaced; counted as needed it errs to the safe side.
        var needed = missing.Sum(i => listing.Files[i].Size - files.BytesOnDisk(i) - AdoptableBytes(destination, listing.Files[i]));
        var free = _disk.FreeBytes(destination);
        if (needed > 0 && free - needed < _options.FreeSpaceReserve)
        {
            return ([], new StagingFailure(
                StagingFailureReason.DiskFull,
                $"{needed} bytes are needed and {free} are free, of which {_options.FreeSpaceReserve} stay free: make room on the models' file system or remove models"));
        }

        meter.Begin(StagingPhase.Downloading, listing.TotalBytes, listing.Files.Length);
        meter.Reused(proven.Sum(file => file?.File.Size ?? 0));
        foreach (var _ in proven.Where(file => file is not null)) meter.FileDone();
        var large = missing.Count(i => listing.Files[i].Size > ArtifactManifest.ChunkSize);
        var connections = Math.Clamp(_options.Connections / Math.Max(1, large), 1, _options.ConnectionsPerFile);
        StagingFailure? failure = null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = _options.ParallelFiles, CancellationToken = stop.Token };
            await Parallel.ForEachAsync(missing, parallel, async (i, token) =>
            {
                var outcome = await files.StageAsync(i, connections, token).ConfigureAwait(false);
                proven[i] = outcome.Proven;
                if (outcome.Failure is null)
                {
                    meter.FileDone();
                    return;
                }

                Interlocked.CompareExchange(ref failure, outcome.Failure, null);
                await stop.CancelAsync().ConfigureAwait(false);
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (failure is not null && !cancellationToken.IsCancellationRequested)
        {
            // One file's failure stopped the others.
        }

        cancellationToken.ThrowIfCancellationRequested();
        return failure is null ? ([.. proven.Select(file => file!)], null) : ([], failure);
    }

    private long AdoptableBytes(string destination, ArtifactFile file) =>
        _disk.Look(StagingLayout.FileOf(destination, file.Path)) is (FileType.Regular, var stamp, _)
        && stamp.Size == file.Size && !file.Digests.IsEmpty ? file.Size : 0;

    /// <summary>Every file of a manifest is as it was when it was proven; content is the periodic check's business.</summary>
    private bool IsComplete(ArtifactManifest manifest) => manifest.Entries.All(entry =>
        entry.LinkTarget is null && entry.HasContentDigest
        && _disk.Look(StagingLayout.FileOf(manifest.Source.StoragePath, entry.Path)) is (FileType.Regular, var stamp, _)
        && (stamp with { Blocks = 0 }) == (entry.Stamp with { Blocks = 0 }));

    private static void Discard(string directory)
    {
        if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
    }
}
