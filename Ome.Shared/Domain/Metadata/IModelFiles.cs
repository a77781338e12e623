using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Metadata;

/// <summary>
/// The files of one artifact, for readers that need a few bounded pieces of them.
/// Implementations never follow a link out of the artifact's root.
/// </summary>
public interface IModelFiles
{
    /// <summary>All regular files (and links to them), ordinally sorted.</summary>
    IReadOnlyList<ArtifactPath> Paths { get; }

    /// <summary>Size in bytes, or null when there is no such file.</summary>
    long? SizeOf(ArtifactPath path);

    /// <summary>Reads at most <paramref name="buffer"/>'s length from <paramref name="offset"/>; fewer bytes only at the end of the file.</summary>
    /// <exception cref="IOException">The file could not be read.</exception>
    int ReadAt(ArtifactPath path, long offset, Span<byte> buffer);
}
