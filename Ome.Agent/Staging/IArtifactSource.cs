using Ome.Shared.Domain.Models;

namespace Ome.Agent.Staging;

/// <summary>
/// One place artifacts come from. Every implementation passes <c>ArtifactSourceContract</c>. Promises:
/// expected trouble (no access, rate limits, outages) is a value, not an exception; exceptions are cancellation, bugs, and
/// <see cref="IOException"/> from a body that was cut; nothing is written to disk; no secret is in any message or exception;
/// safe to call from several threads.
/// </summary>
public interface IArtifactSource
{
    /// <summary>Schemes it serves, with separator, e.g. <c>hf://</c>.</summary>
    IReadOnlyCollection<string> Schemes { get; }

    /// <summary>
    /// Lists every file of the artifact, all pages. With <see cref="SourceRequest.PinnedRevision"/> set it lists exactly that revision,
    /// so that a moving branch cannot mix files; otherwise it resolves the wanted one and pins it in the answer.
    /// </summary>
    Task<ListingResult> ListAsync(SourceRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Opens <paramref name="length"/> bytes of a listed file from <paramref name="offset"/>. Retries short trouble before it answers.
    /// </summary>
    /// <returns>
    /// A body that gives at most <paramref name="length"/> bytes of exactly the listed content; it ends early or throws
    /// <see cref="IOException"/> when the connection is cut. The caller opens the rest again. Never bytes of another range.
    /// </returns>
    Task<OpenResult> OpenAsync(
        SourceRequest request, ArtifactListing listing, ArtifactFile file, long offset, long length, CancellationToken cancellationToken);
}

/// <summary>What is wanted of a source.</summary>
/// <param name="Model">The model; its parameters may hold a secret.</param>
/// <param name="Uri">Its parsed source.</param>
/// <param name="Node">The node, for sources that filter by its shape; null outside a cluster.</param>
/// <param name="PinnedRevision">Revision of an earlier listing to stay with.</param>
public sealed record SourceRequest(ModelSpec Model, StorageUri Uri, NodeFacts? Node = null, string? PinnedRevision = null)
{
    /// <summary>What the source found out for this attempt; the same in every copy of the request.</summary>
    internal SourceAccess Access { get; } = new();
}

/// <summary>Answer of <see cref="IArtifactSource.ListAsync"/>.</summary>
public abstract record ListingResult
{
    private ListingResult()
    {
    }

    /// <summary>The whole listing.</summary>
    public sealed record Listed(ArtifactListing Listing) : ListingResult;

    /// <summary>No listing, and why.</summary>
    public sealed record Failed(StagingFailure Failure) : ListingResult;
}

/// <summary>Answer of <see cref="IArtifactSource.OpenAsync"/>.</summary>
public abstract record OpenResult
{
    private OpenResult()
    {
    }

    /// <summary>The range's bytes; the caller disposes the body.</summary>
    public sealed record Opened(Stream Body) : OpenResult;

    /// <summary>No bytes, and why.</summary>
    public sealed record Failed(StagingFailure Failure) : OpenResult;
}
