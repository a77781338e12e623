using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Verification;

/// <summary>One thing that is wrong, as a value with fields; sentences are made from it at the rim.</summary>
/// <param name="Path">The file, or null when the finding is about the whole artifact.</param>
/// <param name="Reason">Of the closed set.</param>
/// <param name="Expected">What the manifest says: a size, a digest text, a link target.</param>
/// <param name="Actual">What was found instead.</param>
/// <param name="Offset">First bad byte known: the start of the chunk whose digest differs, the end of a truncated file.</param>
/// <param name="Detail">What else helps a human: an errno name, a tensor's name.</param>
public sealed record FileFinding(
    ArtifactPath? Path, FindingReason Reason, string? Expected = null, string? Actual = null, long? Offset = null, string? Detail = null);

/// <summary>How bytes were read: what a digest proves depends on it.</summary>
public enum ReadRoute
{
    /// <summary>Through the page cache: for a cached range it proves what is in memory.</summary>
    Buffered,

    /// <summary>With O_DIRECT: what the medium returned.</summary>
    Direct,

    /// <summary>Cached ranges from the cache, the rest with O_DIRECT.</summary>
    Mixed,
}
