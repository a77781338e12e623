using System.Collections.Immutable;
using System.Text;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Metadata;

namespace Ome.Agent.Verification;

/// <summary>What something other than the files themselves says they must be.</summary>
/// <param name="Name">Where it comes from, for people.</param>
/// <param name="Digests">By path. A path that is not on disk is missing.</param>
/// <param name="Revision">The commit it speaks of; null when it names none or several.</param>
public sealed record GroundTruth(string Name, ImmutableSortedDictionary<ArtifactPath, ContentDigest> Digests, string? Revision = null)
{
    public static GroundTruth None { get; } = new("none", ImmutableSortedDictionary<ArtifactPath, ContentDigest>.Empty);

    public bool IsEmpty => Digests.IsEmpty;
}

/// <summary>
/// Ground truth that Hugging Face's own client leaves on disk, read without network: in its cache, blobs are named by their digest and
/// snapshots link to them; beside a local download, <c>.cache/huggingface/download/PATH.metadata</c> holds commit, etag and time.
/// </summary>
public static class HuggingFaceTruth
{
    public const string MetadataFolder = ".cache/huggingface/download/";

    private const string MetadataSuffix = ".metadata";
    private const int MaxMetadataBytes = 4096;

    /// <summary>Digest that a snapshot's link names: <c>…/blobs/&lt;64 hex&gt;</c> is SHA-256, 40 hex a git blob id. Null for any other link.</summary>
    public static ContentDigest? FromLink(string? target)
    {
        if (target?.Split('/') is not [.., "blobs", var name]) return null;
        return FromEtag(name);
    }

    /// <summary>Digest that an etag of the hub is; null for one that is no digest.</summary>
    public static ContentDigest? FromEtag(string etag) =>
        ContentDigest.TryParse((etag.Length == 64 ? "sha256:" : "git-sha1:") + etag, out var digest) ? digest : null;

    /// <summary>The directory of a cached repository (<c>models--org--name</c>) around a snapshot; null when the path is not one.</summary>
    public static string? CacheOf(string directory) =>
        Path.GetDirectoryName(directory) is { } snapshots && Path.GetFileName(snapshots) == "snapshots" && Path.GetDirectoryName(snapshots) is { } repository
            && Directory.Exists(Path.Combine(repository, "blobs"))
            ? repository
            : null;

    /// <summary>Reads the metadata files among <paramref name="files"/>. One that is older than its file by more than a second is stale and ignored, as the client does.</summary>
    public static async Task<GroundTruth> FromMetadataAsync(ReadEngine engine, ArtifactRoot root, IReadOnlyDictionary<ArtifactPath, FileStamp> files, CancellationToken cancellationToken)
    {
        var digests = ImmutableSortedDictionary.CreateBuilder<ArtifactPath, ContentDigest>();
        var revisions = new HashSet<string>(StringComparer.Ordinal);
        foreach (var metadata in files.Keys.Where(path => path.Value.StartsWith(MetadataFolder, StringComparison.Ordinal) && path.Value.EndsWith(MetadataSuffix, StringComparison.Ordinal)))
        {
            if (!ArtifactPath.TryParse(metadata.Value[MetadataFolder.Length..^MetadataSuffix.Length], out var path, out _)) continue;
            var (text, _) = await FileBytes.ReadAsync(engine, root, metadata, ReadText, cancellationToken);
            if (text?.Split('\n') is not [var commit, var etag, var time, ..] || FromEtag(etag.Trim()) is not { } digest) continue;
            if (!double.TryParse(time, out var seconds)) continue;
            if (files.TryGetValue(path, out var stamp) && stamp.MtimeNs / 1e9 > seconds + 1) continue;
            digests[path] = digest;
            revisions.Add(commit.Trim());
        }

        return new GroundTruth("Hugging Face download metadata", digests.ToImmutable(), revisions.Count == 1 ? revisions.First() : null);
    }

    private static string? ReadText(IByteSource source)
    {
        if (source.Length > MaxMetadataBytes) return null;
        var bytes = new byte[source.Length];
        var held = 0;
        while (held < bytes.Length && source.ReadAt(held, bytes.AsSpan(held)) is > 0 and var got) held += got;
        return Encoding.UTF8.GetString(bytes, 0, held);
    }
}
