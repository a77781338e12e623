using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Objects;

namespace Ome.Agent.Staging;

/// <summary>One file as its source lists it.</summary>
/// <param name="Path">Below the artifact's root.</param>
/// <param name="Size">Exact, in bytes.</param>
/// <param name="Digests">Every digest the source publishes for the content; empty when it publishes none.</param>
/// <param name="SourceName">How the source itself names it (an object's full name); null when that is <paramref name="Path"/>.</param>
/// <param name="Version">Entity tag or version to hold later reads to; null when the revision does that.</param>
public sealed record ArtifactFile(
    ArtifactPath Path, long Size, ImmutableArray<ContentDigest> Digests, string? SourceName = null, string? Version = null)
{
    /// <summary>
    /// Digests of which one may be the content's: a multipart MD5 under each usual part size. A match proves the content; none says nothing.
    /// </summary>
    public ImmutableArray<ContentDigest> Alternatives { get; init; } = [];

    /// <summary>
    /// An object as its store describes it (contract 5.1): whoever fetches, adopts or resumes the file holds it to this. A proof is kept in the manifest with the
    /// SHA-256 of the same bytes, which is what later checks compare.
    /// </summary>
    public static ArtifactFile Of(ArtifactPath path, long size, ObjectExpectation expectation, string name, string? version) =>
        new(path, size, expectation is ObjectExpectation.Whole whole ? [whole.Md5] : [], name, version)
        {
            Alternatives = expectation is ObjectExpectation.Multipart multipart ? PartSizes.Alternatives(multipart, size) : [],
        };

    /// <summary>True when the source published something its bytes can be held to.</summary>
    public bool CanBeProven => !Digests.IsEmpty || !Alternatives.IsEmpty;

    /// <summary>The file with the alternative that its bytes matched among its digests; itself for null.</summary>
    public ArtifactFile With(ContentDigest? proof) => proof is { } digest ? this with { Digests = Digests.Add(digest), Alternatives = [] } : this;
}

/// <summary>All files of an artifact at one revision: sorted, unique, placeable in one directory.</summary>
public sealed class ArtifactListing
{
    /// <summary>More files than this is no model; the bound keeps a hostile listing from filling memory.</summary>
    public const int MaxFiles = 100_000;

    private ArtifactListing(string? revision, ImmutableArray<ArtifactFile> files)
    {
        Revision = revision;
        Files = files;
    }

    /// <summary>What the listing is pinned to, e.g. a commit sha; null when the source has no revisions.</summary>
    public string? Revision { get; }

    /// <summary>Sorted by path.</summary>
    public ImmutableArray<ArtifactFile> Files { get; }

    /// <summary>Sum of all sizes.</summary>
    public long TotalBytes => Files.Sum(file => file.Size);

    /// <summary>Accepts files that can lie together in one directory; says why not otherwise.</summary>
    public static bool TryCreate(
        string? revision, IEnumerable<ArtifactFile> files, [NotNullWhen(true)] out ArtifactListing? listing, [NotNullWhen(false)] out StagingFailure? refusal)
    {
        var sorted = files.OrderBy(file => file.Path).ToImmutableArray();
        listing = null;
        refusal = Refuse(sorted) is { } reason ? new StagingFailure(StagingFailureReason.ListingInvalid, reason) : null;
        if (refusal is not null) return false;
        listing = new ArtifactListing(revision, sorted);
        return true;
    }

    private static string? Refuse(ImmutableArray<ArtifactFile> sorted)
    {
        if (sorted.IsEmpty) return "the source lists no file";
        if (sorted.Length > MaxFiles) return $"the source lists {sorted.Length} files, more than {MaxFiles}";
        var directories = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in sorted)
        {
            for (var slash = file.Path.Value.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = file.Path.Value.IndexOf('/', slash + 1))
            {
                directories.Add(file.Path.Value[..slash]);
            }
        }

        for (var i = 0; i < sorted.Length; i++)
        {
            if (sorted[i].Size < 0) return $"'{sorted[i].Path}' is listed with {sorted[i].Size} bytes";
            if (i > 0 && sorted[i].Path == sorted[i - 1].Path) return $"'{sorted[i].Path}' is listed twice";
            if (directories.Contains(sorted[i].Path.Value)) return $"'{sorted[i].Path}' is listed as a file and as a directory";
        }

        return null;
    }
}
