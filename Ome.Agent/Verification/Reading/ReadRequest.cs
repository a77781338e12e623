using System.Collections.Immutable;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Verification.Reading;

/// <summary>Why a file is read: it decides the path its bytes take.</summary>
public enum ReadPurpose
{
    /// <summary>A scheduled pass: cached ranges from the cache, the rest around it. The page cache is left as it was.</summary>
    Routine,

    /// <summary>A second look at something that looked bad: from the medium (O_DIRECT), whatever is cached. Goes before routine reads.</summary>
    Confirm,

    /// <summary>The first digest of new files, before they may be served. Read like a routine pass; goes before routine reads.</summary>
    Stage,
}

/// <summary>Digests of the whole content; each costs its own share of CPU, all come from one read.</summary>
[Flags]
public enum WholeDigests
{
    None = 0,
    Sha256 = 1,
    GitSha1 = 2,
    Md5 = 4,

    /// <summary>MD5 of the parts' MD5s; needs <see cref="ReadRequest.Md5PartSize"/>.</summary>
    Md5Composite = 8,
}

/// <summary>What one read of one file is for.</summary>
public sealed record ReadRequest
{
    private ReadRequest(WholeDigests whole, bool allChunks, ImmutableSortedSet<int> chunks, long md5PartSize, ReadPurpose purpose)
    {
        Whole = whole;
        AllChunks = allChunks;
        Chunks = chunks;
        Md5PartSize = md5PartSize;
        Purpose = purpose;
        FromMedium = purpose == ReadPurpose.Confirm;
    }

    /// <summary>Digests over the whole content.</summary>
    public WholeDigests Whole { get; }

    /// <summary>True when the XXH128 of every chunk is wanted.</summary>
    public bool AllChunks { get; }

    /// <summary>Indexes of the chunks whose XXH128 is wanted, when not all. An index past the end of the file is left out of the answer.</summary>
    public ImmutableSortedSet<int> Chunks { get; }

    /// <summary>Bytes of each part but the last of the composite MD5; 0 when none is wanted.</summary>
    public long Md5PartSize { get; }

    public ReadPurpose Purpose { get; init; }

    /// <summary>
    /// True: from the medium (O_DIRECT) also where the page cache holds the file, which proves the disk and not the memory; a file system
    /// without O_DIRECT is read through its cache, and the route says so. Default for <see cref="ReadPurpose.Confirm"/>.
    /// </summary>
    public bool FromMedium { get; init; }

    /// <summary>Bytes of a chunk: a multiple of 4 KiB, since reads around the cache begin at its multiples. Default 64 MiB.</summary>
    public long ChunkBytes
    {
        get;
        init => field = value > 0 && value % 4096 == 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A chunk is a positive multiple of 4096 bytes.");
    } = ArtifactManifest.ChunkSize;

    /// <summary>XXH128 of every chunk and nothing else: what a routine deep pass needs; a file's chunks are read in parallel.</summary>
    public static ReadRequest EveryChunk(ReadPurpose purpose = ReadPurpose.Routine) => new(WholeDigests.None, true, [], 0, purpose);

    /// <summary>XXH128 of the named chunks (index = offset / <see cref="ChunkBytes"/>).</summary>
    public static ReadRequest SomeChunks(IEnumerable<int> indexes, ReadPurpose purpose = ReadPurpose.Routine)
    {
        var chunks = indexes.ToImmutableSortedSet();
        if (chunks.Count > 0 && chunks[0] < 0) throw new ArgumentOutOfRangeException(nameof(indexes), chunks[0], "A chunk index is not negative.");
        return new ReadRequest(WholeDigests.None, false, chunks, 0, purpose);
    }

    /// <summary>Digests of the whole content and, from the same read, the XXH128 of every chunk.</summary>
    /// <param name="digests">At least one.</param>
    /// <param name="purpose">Why it is read.</param>
    /// <param name="md5PartSize">Bytes of a part, when <paramref name="digests"/> has <see cref="WholeDigests.Md5Composite"/>.</param>
    /// <param name="withChunks">False leaves the chunk digests out.</param>
    public static ReadRequest WholeFile(WholeDigests digests, ReadPurpose purpose = ReadPurpose.Routine, long md5PartSize = 0, bool withChunks = true)
    {
        if (digests == WholeDigests.None) throw new ArgumentException("Name at least one digest, or ask for chunks.", nameof(digests));
        if (digests.HasFlag(WholeDigests.Md5Composite) != md5PartSize > 0)
            throw new ArgumentOutOfRangeException(nameof(md5PartSize), md5PartSize, "A composite MD5, and nothing else, needs a positive part size.");
        return new ReadRequest(digests, withChunks, [], md5PartSize, purpose);
    }

    /// <summary>SHA-256, every chunk, and again each digest in <paramref name="upstream"/> that is computed here (CRC32C is not).</summary>
    public static ReadRequest ToCompareWith(ImmutableArray<ContentDigest> upstream, ReadPurpose purpose)
    {
        var (digests, partSize) = (WholeDigests.Sha256, 0L);
        foreach (var digest in upstream)
        {
            digests |= digest.Algorithm switch
            {
                DigestAlgorithm.GitSha1 => WholeDigests.GitSha1,
                DigestAlgorithm.Md5 => WholeDigests.Md5,
                DigestAlgorithm.Md5Composite => WholeDigests.Md5Composite,
                _ => WholeDigests.None,
            };
            if (digest.Algorithm == DigestAlgorithm.Md5Composite) partSize = digest.PartSize;
        }

        return WholeFile(digests, purpose, partSize);
    }
}
