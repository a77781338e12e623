using System.Collections.Immutable;

namespace Ome.Shared.Domain.Manifests;

/// <summary>Where the expected digests came from.</summary>
public enum ManifestTrust
{
    /// <summary>Taken from the files as they were at first Ready: later damage is seen, damage at birth is not.</summary>
    Local,

    /// <summary>Every file was checked against a digest its source publishes.</summary>
    Upstream,
}

/// <summary>What was staged: an entry or a manifest with another identity says nothing about the present model.</summary>
/// <param name="StorageUri">The model's <c>spec.storage.storageUri</c> as written.</param>
/// <param name="StoragePath">Absolute directory of the files on the node.</param>
/// <param name="Revision">The commit the listing was pinned to (Hugging Face), else null.</param>
public sealed record SourceIdentity(string StorageUri, string StoragePath, string? Revision)
{
    /// <summary>Same source and place; the revision is not part of the spec and is not compared.</summary>
    public bool SameSpec(SourceIdentity other) =>
        string.Equals(StorageUri, other.StorageUri, StringComparison.Ordinal) && string.Equals(StoragePath, other.StoragePath, StringComparison.Ordinal);
}

/// <summary>What <c>statx</c> said of a file when its bytes were proven. Times in nanoseconds since the Unix epoch; blocks of 512 bytes.</summary>
public readonly record struct FileStamp(long Size, long MtimeNs, long CtimeNs, ulong Inode, ulong Device, long Blocks);

/// <summary>One file of an artifact.</summary>
/// <param name="Path">Below the artifact's root.</param>
/// <param name="Stamp">Of the file itself; of the link's target when <paramref name="LinkTarget"/> is set.</param>
/// <param name="LinkTarget">Text of the symbolic link that the path is, or null for a regular file.</param>
/// <param name="Sha256">Of the whole content. Null only while a local model's background hashing has not reached the file.</param>
/// <param name="Upstream">Digests the source published and the staged bytes matched; may be empty.</param>
/// <param name="Chunks">XXH128 of each chunk of <see cref="ArtifactManifest.ChunkBytes"/> bytes, the last one shorter; empty for an empty file or while <paramref name="Sha256"/> is null.</param>
/// <param name="Baseline">Structural findings that were already so at first Ready, as <c>FindingReason</c> names: reported once, never a reason to withdraw.</param>
public sealed record ManifestEntry(
    ArtifactPath Path,
    FileStamp Stamp,
    string? LinkTarget,
    ContentDigest? Sha256,
    ImmutableArray<ContentDigest> Upstream,
    ImmutableArray<UInt128> Chunks,
    ImmutableArray<string> Baseline)
{
    public long Size => Stamp.Size;

    /// <summary>True when content can be proven, not only presence.</summary>
    public bool HasContentDigest => Sha256 is not null;
}

/// <summary>
/// What an artifact's files were when the model became Ready: the yardstick of every later check. Immutable; entries sorted and unique by path.
/// </summary>
public sealed class ArtifactManifest
{
    /// <summary>Version this program writes.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Bytes of a chunk in every manifest we write for a model: 64 MiB.</summary>
    public const long ChunkSize = 64L * 1024 * 1024;

    public ArtifactManifest(
        SourceIdentity source, ManifestTrust trust, DateTimeOffset createdAt, IEnumerable<ManifestEntry> entries, long chunkBytes = ChunkSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunkBytes, 1);
        ChunkBytes = chunkBytes;
        Source = source;
        Trust = trust;
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(createdAt.ToUnixTimeMilliseconds());
        Entries = entries.ToImmutableArray();
        // Sorted already where a manifest is read.
        if (IndexOutOfOrder() >= 0) Entries = Entries.Sort(static (one, other) => one.Path.CompareTo(other.Path));
        if (IndexOutOfOrder() is > 0 and var twice) throw new ArgumentException($"'{Entries[twice].Path}' is listed twice.", nameof(entries));
    }

    public SourceIdentity Source { get; }

    public ManifestTrust Trust { get; }

    /// <summary>UTC, whole milliseconds.</summary>
    public DateTimeOffset CreatedAt { get; }

    public ImmutableArray<ManifestEntry> Entries { get; }

    /// <summary>Bytes of a chunk in this manifest: <see cref="ChunkSize"/>, except where a small tree must have many chunks.</summary>
    public long ChunkBytes { get; }

    /// <summary>Bytes of all files; a blob reached through two links counts twice.</summary>
    public long TotalBytes => Entries.Sum(entry => entry.Size);

    /// <summary>Number of chunks that <paramref name="size"/> bytes fill.</summary>
    public static int ChunkCount(long size, long chunkBytes = ChunkSize) => checked((int)((size + chunkBytes - 1) / chunkBytes));

    /// <summary>The first entry that does not come after the one before it; -1 when there is none.</summary>
    private int IndexOutOfOrder()
    {
        for (var i = 1; i < Entries.Length; i++)
        {
            if (Entries[i].Path <= Entries[i - 1].Path) return i;
        }

        return -1;
    }
}
