using System.Buffers;
using System.Collections.Immutable;
using System.IO.Hashing;
using Ome.Agent.Files;
using Ome.Agent.Staging;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Repair;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Repair;

/// <summary>A damaged model.</summary>
/// <param name="Staging">What it is and where; readiness was withdrawn before.</param>
/// <param name="Manifest">What it must be.</param>
/// <param name="Findings">Confirmed findings.</param>
/// <param name="Failures">Repairs in a row that failed before this one.</param>
public sealed record RepairRequest(StagingRequest Staging, ArtifactManifest Manifest, IReadOnlyList<FileFinding> Findings, int Failures = 0);

/// <summary>How a repair ended. A repaired model is still to be readmitted by a full check.</summary>
public abstract record RepairResult
{
    private RepairResult()
    {
    }

    /// <summary>Every damaged file is replaced by a proven one; the manifest with the new stamps is saved.</summary>
    /// <param name="Manifest">The saved one.</param>
    /// <param name="Files">Which were replaced.</param>
    /// <param name="BytesFetched">From the source.</param>
    /// <param name="UnreachedLinks">Other names of a damaged inode that lie outside the models root and still have the damage.</param>
    public sealed record Repaired(ArtifactManifest Manifest, ImmutableArray<ArtifactPath> Files, long BytesFetched, int UnreachedLinks) : RepairResult;

    /// <summary>Too much is damaged, or the source no longer has this revision: stage again with <see cref="StagingRequest.Damaged"/>.</summary>
    public sealed record RestageNeeded(string Why, ImmutableHashSet<ArtifactPath> Damaged) : RepairResult;

    /// <summary>There is nobody to fetch good bytes from.</summary>
    public sealed record Impossible(string Why) : RepairResult;

    /// <summary>Not now.</summary>
    public sealed record Failed(StagingFailure Failure, TimeSpan TryAgainAfter) : RepairResult;
}

/// <summary>
/// Makes a damaged model whole: good chunks are copied to a side file, bad ones fetched, the whole is proven against the manifest's SHA-256 and
/// renamed over the damaged file. A live file is never opened for writing: whoever maps it keeps the old inode.
/// </summary>
public sealed partial class RepairWorker(
    ArtifactStager stager, ArtifactSourceCatalog sources, IManifestStore manifests, StagingLayout layout, StagingDisk disk, StagingOptions options, Quarantine quarantine,
    ILogger<RepairWorker> logger)
{
    private const int BlockSize = 1 << 20;

    /// <summary>Repairs within the caps of <see cref="RepairPlan"/>.</summary>
    public async Task<RepairResult> RepairAsync(RepairRequest request, CancellationToken cancellationToken)
    {
        var plan = RepairPlan.Of(request.Staging.Uri, request.Manifest, request.Findings);
        if (plan is RepairPlan.Impossible impossible) return new RepairResult.Impossible(impossible.Why);
        if (plan is RepairPlan.Restage restage) return new RepairResult.RestageNeeded(restage.Why, restage.Damaged);
        using var held = await stager.HoldAsync(request.Staging.Destination, cancellationToken).ConfigureAwait(false);
        var again = RepairBackoff.After(request.Failures + 1);
        try
        {
            return await RepairFilesAsync(request, ((RepairPlan.Files)plan).Repairs, again, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var reason = StagingDisk.IsFull(e) ? StagingFailureReason.DiskFull : StagingFailureReason.DiskError;
            return new RepairResult.Failed(new StagingFailure(reason, $"repairing '{request.Staging.Destination}' failed: {e.Message}"), again);
        }
    }

    private async Task<RepairResult> RepairFilesAsync(RepairRequest request, ImmutableArray<FileRepair> repairs, TimeSpan again, CancellationToken cancellationToken)
    {
        var (staging, manifest) = (request.Staging, request.Manifest);
        var damaged = repairs.Select(repair => repair.Entry.Path).ToImmutableHashSet();
        if (RealPlace(staging.Destination) is not { } place) return new RepairResult.Impossible($"'{staging.Destination}' is not a directory below the models root");
        if (!sources.TryGet(staging.Uri, out var source, out var refusal)) return new RepairResult.Failed(refusal, again);
        var asked = new SourceRequest(staging.Model, staging.Uri, staging.Node, manifest.Source.Revision);
        var listed = await source.ListAsync(asked, cancellationToken).ConfigureAwait(false);
        if (listed is ListingResult.Failed { Failure: var failure })
        {
            return failure.Reason is StagingFailureReason.NotFound or StagingFailureReason.SourceChanged
                ? new RepairResult.RestageNeeded($"the source no longer has revision {manifest.Source.Revision}", damaged)
                : new RepairResult.Failed(failure, failure.RetryAfter > again ? failure.RetryAfter.Value : again);
        }

        var listing = ((ListingResult.Listed)listed).Listing;
        var files = listing.Files.ToDictionary(file => file.Path);
        if (repairs.Any(repair => !IsSame(repair.Entry, files.GetValueOrDefault(repair.Entry.Path)))) return new RepairResult.RestageNeeded("the source publishes other content now", damaged);

        var side = layout.RepairDirectory(staging.Destination);
        Directory.CreateDirectory(side);
        var meter = new StagingMeter(null, stager.Sharing.Time, options.ProgressInterval);
        var (entries, unreached) = (manifest.Entries, 0);
        foreach (var repair in repairs)
        {
            // Its digest of digests names the side file, so that a repair cut short is found and goes on.
            var part = Path.Combine(side, repair.Entry.Sha256!.Value.Hex + ".part");
            if (await MakeWholeAsync(source, asked, listing, files[repair.Entry.Path], repair, place, part, meter, cancellationToken).ConfigureAwait(false) is { } broken)
            {
                return new RepairResult.Failed(broken, broken.RetryAfter > again ? broken.RetryAfter.Value : again);
            }

            var (stamp, left) = PutInPlace(part, StagingLayout.FileOf(place, repair.Entry.Path));
            unreached += left;
            entries = entries.Replace(repair.Entry, repair.Entry with { Stamp = stamp });
        }

        var repaired = new ArtifactManifest(manifest.Source, manifest.Trust, manifest.CreatedAt, entries);
        await manifests.SaveAsync(staging.Model.Key, repaired).ConfigureAwait(false);
        Directory.Delete(side, recursive: true);
        LogRepaired(staging.Model.Key, repairs.Length, meter.Tally.BytesFetched, unreached);
        return new RepairResult.Repaired(repaired, [.. repairs.Select(repair => repair.Entry.Path)], meter.Tally.BytesFetched, unreached);
    }

    /// <summary>Fills and proves the side file; null when it is whole.</summary>
    private async Task<StagingFailure?> MakeWholeAsync(
        IArtifactSource source, SourceRequest asked, ArtifactListing listing, ArtifactFile file, FileRepair repair, string place, string path, StagingMeter meter, CancellationToken cancellationToken)
    {
        var free = disk.FreeBytes(place);
        if (disk.Look(path) is null && free - file.Size < options.FreeSpaceReserve)
        {
            return new StagingFailure(StagingFailureReason.DiskFull, $"{file.Size} bytes are needed beside the damaged file and {free} are free, of which {options.FreeSpaceReserve} stay free", Path: file.Path);
        }

        using var part = await PartFile.OpenAsync(disk, path, file, options.FreeSpaceReserve, cancellationToken).ConfigureAwait(false);
        await OwnThread.RunAsync(() => CopyGoodChunks(part, repair, StagingLayout.FileOf(place, file.Path), cancellationToken)).ConfigureAwait(false);
        var failure = await new FileFetcher(stager.Sharing, source, asked, listing, part, meter).FetchAsync(connections: 1, cancellationToken).ConfigureAwait(false);
        if (failure is not null) return failure;
        var (sha256, mismatch) = await OwnThread.RunAsync(() => part.Finish(cancellationToken)).ConfigureAwait(false);
        if (mismatch is null && sha256 == repair.Entry.Sha256)
        {
            await OwnThread.RunAsync(() => disk.Flush(part.Handle)).WaitAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }

        part.Discard();
        return new StagingFailure(StagingFailureReason.WrongBytes, $"the repaired file is {sha256}, not {repair.Entry.Sha256}", Path: file.Path);
    }

    /// <summary>Copies each chunk that is what the manifest says; one that cannot be read, or is known to be bad, is left to the source.</summary>
    private static void CopyGoodChunks(PartFile part, FileRepair repair, string live, CancellationToken cancellationToken)
    {
        if (!File.Exists(live)) return;
        using var handle = File.OpenHandle(live, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
        var hash = new XxHash128();
        try
        {
            for (var i = 0; i < repair.Entry.Chunks.Length; i++)
            {
                if (repair.BadChunks.Contains(i) || part.Chunks[i] is not null) continue;
                var (position, end) = (i * ArtifactManifest.ChunkSize, Math.Min(repair.Entry.Size, (i + 1L) * ArtifactManifest.ChunkSize));
                hash.Reset();
                while (position < end)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var read = TryRead(handle, buffer.AsSpan(0, (int)Math.Min(BlockSize, end - position)), position);
                    if (read <= 0) break;
                    hash.Append(buffer.AsSpan(0, read));
                    part.WriteUnordered(buffer.AsSpan(0, read), position);
                    position += read;
                }

                if (position == end && hash.GetCurrentHashAsUInt128() == repair.Entry.Chunks[i]) part.Complete(i, repair.Entry.Chunks[i]);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static int TryRead(Microsoft.Win32.SafeHandles.SafeFileHandle handle, Span<byte> buffer, long position)
    {
        try
        {
            return RandomAccess.Read(handle, buffer, position);
        }
        catch (IOException)
        {
            return -1;
        }
    }

    /// <summary>Renames the proven file over the damaged one, and over every other name of the damaged inode below the models root.</summary>
    /// <returns>The new stamp, and how many names of the damaged inode were not found.</returns>
    private (FileStamp Stamp, int Unreached) PutInPlace(string part, string live)
    {
        var there = disk.Look(live);
        var others = there is (FileType.Regular, var bad, > 1) ? OtherNames(live, bad) : [];
        var left = there is (FileType.Regular, _, > 1) ? (int)there.Value.Links - 1 - others.Count : 0;
        if (there is not null && quarantine.Keep(live) is null && there is (not (FileType.Regular or FileType.Directory), _, _)) File.Delete(live);
        if (there is (FileType.Directory, _, _)) Directory.Delete(live, recursive: true);
        Directory.CreateDirectory(Path.GetDirectoryName(live)!);
        foreach (var other in others)
        {
            var pending = part + ".link";
            File.Delete(pending);
            disk.Link(part, pending);
            disk.Rename(pending, other);
        }

        disk.Rename(part, live);
        disk.FlushDirectory(Path.GetDirectoryName(live)!);
        File.Delete(part + ".chunks");
        return (disk.Look(live)!.Value.Stamp, left);
    }

    private List<string> OtherNames(string live, FileStamp bad)
    {
        var names = new List<string>();
        var waiting = new Stack<string>([layout.ModelsRoot]);
        while (waiting.TryPop(out var directory))
        {
            foreach (var path in Directory.EnumerateFileSystemEntries(directory))
            {
                if (path == live || path == layout.ModelsRoot + "/" + DestinationRule.StateDirectory) continue;
                if (disk.Look(path) is not { } entry) continue;
                if (entry.Kind == FileType.Directory) waiting.Push(path);
                else if (entry.Kind == FileType.Regular && entry.Stamp.Inode == bad.Inode && entry.Stamp.Device == bad.Device) names.Add(path);
            }
        }

        return names;
    }

    /// <summary>The directory whose files are meant: of a model that links to another's, that one's. Null when it is not below the models root.</summary>
    private string? RealPlace(string destination)
    {
        if (layout.Refuse(disk, destination, mayBeLink: true) is not null) return null;
        if (disk.Look(destination) is not (FileType.Link, _, _)) return destination;
        var target = Directory.ResolveLinkTarget(destination, returnFinalTarget: true)?.FullName;
        return target is not null && layout.Refuse(disk, target) is null ? target : null;
    }

    /// <summary>The source still publishes what the file was proven by; of an object in parts that is one of several digests it may have.</summary>
    private static bool IsSame(ManifestEntry entry, ArtifactFile? file) =>
        file is not null && file.Size == entry.Size && file.Digests.All(entry.Upstream.Contains)
        && entry.Upstream.All(digest => file.Digests.Contains(digest) || file.Alternatives.Contains(digest));

    [LoggerMessage(4052, LogLevel.Information, "Repaired {Model}: {Files} files, {Bytes} bytes fetched, {Unreached} names of damaged files not reached")]
    private partial void LogRepaired(ModelKey model, int files, long bytes, int unreached);
}
