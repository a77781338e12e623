using System.Security.Cryptography;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Support;

/// <summary>Manifests with good defaults.</summary>
internal static class GivenManifest
{
    public static readonly DateTimeOffset Born = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    public static readonly SourceIdentity Source = new("hf://acme/model@main", "/models/acme/model", "0123456789abcdef");

    /// <summary>An entry whose digests follow from its path: enough where no bytes are read.</summary>
    public static ManifestEntry Entry(string path, long size = 100, long chunkBytes = ArtifactManifest.ChunkSize, ulong inode = 0)
    {
        var sha256 = SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(path));
        var chunks = Enumerable.Range(0, ArtifactManifest.ChunkCount(size, chunkBytes)).Select(i => new UInt128(StableHash.Of(path), (ulong)i));
        return new ManifestEntry(
            ArtifactPath.Parse(path), new FileStamp(size, 1_700_000_000_123_456_789, 1_700_000_001_000_000_001, inode, 8, (size + 511) / 512), null,
            ContentDigest.Of(DigestAlgorithm.Sha256, sha256), [], [.. chunks], []);
    }

    public static ArtifactManifest Of(IEnumerable<ManifestEntry> entries, long chunkBytes = ArtifactManifest.ChunkSize) =>
        new(Source, ManifestTrust.Local, Born, entries, chunkBytes);

    public static ManifestDocument Document(IEnumerable<ManifestEntry> entries, long chunkBytes = ArtifactManifest.ChunkSize)
    {
        var manifest = Of(entries, chunkBytes);
        return new ManifestDocument(manifest, ManifestCodec.DigestOf(manifest));
    }
}
