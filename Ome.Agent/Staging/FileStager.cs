using System.Buffers;
using System.Collections.Immutable;
using System.IO.Hashing;
using Ome.Agent.Files;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Staging;

/// <summary>Answer for one file: proven, or why not.</summary>
internal readonly record struct FileOutcome(ProvenFile? Proven, StagingFailure? Failure);

/// <summary>
/// Gets one file proven: from the note of an earlier run, from what lies under its final name, from a half-filled side file, from the source, in
/// this order.
/// </summary>
internal sealed class FileStager(
    StagingDisk disk, FetchSharing sharing, IArtifactSource source, SourceRequest request, ArtifactListing listing, string destination,
    StagingRecord record, ArtifactManifest? known, StagingMeter meter, long reserve, IReadOnlySet<ArtifactPath> damaged)
{
    private readonly Dictionary<ArtifactPath, ManifestEntry> _known = (known?.Entries ?? []).ToDictionary(entry => entry.Path);

    /// <summary>Bytes of a file that a half-filled side file already has room for; 0 without one.</summary>
    public long BytesOnDisk(int index) =>
        disk.Look(record.PartPath(index)) is (FileType.Regular, var stamp, _) ? Math.Min(stamp.Blocks * 512, listing.Files[index].Size) : 0;

    /// <summary>The file as far as it is proven without reading anything: by a note, or by the manifest of an earlier staging.</summary>
    public ProvenFile? FromNotes(int index)
    {
        var file = listing.Files[index];
        var final = disk.Look(StagingLayout.FileOf(destination, file.Path));
        if (record.LoadProven(index, file) is { } note)
        {
            if (final is (FileType.Regular, var there, _) && note.IsAt(there)) return note;
            if (disk.Look(record.PartPath(index)) is (FileType.Regular, var side, _) && note.IsAt(side)) return note;
        }

        return final is (FileType.Regular, var stamp, _) && !damaged.Contains(file.Path) ? FromManifest(file, _known.GetValueOrDefault(file.Path), stamp) : null;
    }

    /// <summary>One file of a directory, proven by its manifest entry or by reading it; null when it is not what the listing publishes.</summary>
    public static async Task<ProvenFile?> ProveAsync(StagingDisk disk, string directory, ArtifactFile file, ManifestEntry? entry, CancellationToken cancellationToken)
    {
        var path = StagingLayout.FileOf(directory, file.Path);
        if (!file.CanBeProven || disk.Look(path) is not (FileType.Regular, var before, _) || before.Size != file.Size) return null;
        if (FromManifest(file, entry, before) is { } noted) return noted;
        var hashed = await OwnThread.RunAsync(() => ContentHasher.Hash(path, file, cancellationToken)).ConfigureAwait(false);
        if (hashed is not var (sha256, chunks, proof) || disk.Look(path) is not (FileType.Regular, var after, _)) return null;
        return before == after ? new ProvenFile(file.With(proof), sha256, chunks, after.Inode, after.Device, after.MtimeNs) : null;
    }

    public async Task<FileOutcome> StageAsync(int index, int connections, CancellationToken cancellationToken)
    {
        var file = listing.Files[index];

        // What lies under the final name is taken if its bytes are the published ones, for example after an upgrade from an agent without
        // manifests. A size alone proves nothing, so a file without a published digest is fetched.
        if (!damaged.Contains(file.Path) && await ProveAsync(disk, destination, file, null, cancellationToken).ConfigureAwait(false) is { } adopted)
        {
            meter.Reused(file.Size);
            return new(adopted, null);
        }

        for (var tries = 1; ; tries++)
        {
            var outcome = await FetchAsync(index, file, connections, cancellationToken).ConfigureAwait(false);
            if (outcome.Failure is not { Reason: StagingFailureReason.WrongBytes } || tries == 2) return outcome;

            // Once is a fault on the way that a second transfer may not have; twice is the source's.
            meter.Lost(file.Size);
        }
    }

    private async Task<FileOutcome> FetchAsync(int index, ArtifactFile file, int connections, CancellationToken cancellationToken)
    {
        var needed = file.Size - BytesOnDisk(index);
        if (needed > 0 && disk.FreeBytes(destination) - needed < reserve) return new(null, Full(file, needed));
        var part = await PartFile.OpenAsync(disk, record.PartPath(index), file, reserve, cancellationToken).ConfigureAwait(false);
        try
        {
            meter.Reused(part.ProvenBytes);
            var failure = await new FileFetcher(sharing, source, request, listing, part, meter).FetchAsync(connections, cancellationToken).ConfigureAwait(false);
            if (failure is not null) return new(null, failure);
            var (sha256, mismatch) = await OwnThread.RunAsync(() => part.Finish(cancellationToken)).ConfigureAwait(false);
            if (mismatch is var (expected, actual))
            {
                part.Discard();
                var text = $"the source publishes {expected}, its bytes are {actual}";
                return new(null, new StagingFailure(StagingFailureReason.WrongBytes, text, Path: file.Path));
            }

            // A flush of gigabytes cannot be interrupted; a caller that gives up does not wait for it.
            await OwnThread.RunAsync(() => disk.Flush(part.Handle)).WaitAsync(cancellationToken).ConfigureAwait(false);
            var stamp = disk.Look(record.PartPath(index))!.Value.Stamp;
            var proof = part.Proof;
            var proven = new ProvenFile(file.With(proof), sha256, [.. part.Chunks.Select(chunk => chunk!.Value)], stamp.Inode, stamp.Device, stamp.MtimeNs);
            record.SaveProven(index, proven, proof);
            return new(proven, null);
        }
        finally
        {
            part.Dispose();
        }
    }

    private static ProvenFile? FromManifest(ArtifactFile file, ManifestEntry? entry, FileStamp stamp)
    {
        if (entry is not { Sha256: { } sha256, LinkTarget: null } || entry.Size != file.Size || !file.CanBeProven) return null;
        var unchanged = (entry.Stamp with { Blocks = 0 }) == (stamp with { Blocks = 0 });
        var proof = file.Alternatives.Where(entry.Upstream.Contains).Select(digest => (ContentDigest?)digest).FirstOrDefault();
        if (file.Digests.IsEmpty && proof is null) return null;
        var sameContent = file.Digests.All(digest => digest == sha256 || entry.Upstream.Contains(digest));
        return unchanged && sameContent ? new ProvenFile(file.With(proof), sha256, entry.Chunks, stamp.Inode, stamp.Device, stamp.MtimeNs) : null;
    }

    private StagingFailure Full(ArtifactFile file, long needed) => new(
        StagingFailureReason.DiskFull,
        $"{needed} bytes are needed and {disk.FreeBytes(destination)} are free, of which {reserve} stay free: make room on the models' file system or remove models",
        Path: file.Path);
}

/// <summary>Digests of a file that lies there, by one plain read.</summary>
internal static class ContentHasher
{
    private const int BlockSize = 1 << 20;

    /// <summary>SHA-256 and chunk digests; null when the content is not what the listing publishes, or cannot be read.</summary>
    public static (ContentDigest Sha256, ImmutableArray<UInt128> Chunks, ContentDigest? Proof)? Hash(string path, ArtifactFile file, CancellationToken cancellationToken)
    {
        using var whole = new WholeDigester(file);
        var chunk = new XxHash128();
        var chunks = ImmutableArray.CreateBuilder<UInt128>();
        var buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            while (whole.Position < file.Size)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var chunkEnd = Math.Min(file.Size, (chunks.Count + 1) * ArtifactManifest.ChunkSize);
                var read = RandomAccess.Read(handle, buffer.AsSpan(0, (int)Math.Min(BlockSize, chunkEnd - whole.Position)), whole.Position);
                if (read == 0) return null;
                whole.Append(buffer.AsSpan(0, read));
                chunk.Append(buffer.AsSpan(0, read));
                if (whole.Position < chunkEnd) continue;
                chunks.Add(chunk.GetCurrentHashAsUInt128());
                chunk.Reset();
            }
        }
        catch (IOException)
        {
            // Unreadable is as good as absent here: the source has it again.
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        var (sha256, mismatch) = whole.Finish();
        var proof = whole.Proof();
        return mismatch is null && (proof is not null || !file.Digests.IsEmpty) ? (sha256, chunks.ToImmutable(), proof) : null;
    }
}
