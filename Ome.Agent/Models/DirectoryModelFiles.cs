using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Metadata;

namespace Ome.Agent.Models;

/// <summary>The files a manifest lists, for readers of configs and headers. What the manifest does not list is not there.</summary>
public sealed class DirectoryModelFiles(string root, ArtifactManifest manifest) : IModelFiles
{
    private readonly Dictionary<ArtifactPath, long> _sizes = manifest.Entries.ToDictionary(entry => entry.Path, entry => entry.Size);

    public IReadOnlyList<ArtifactPath> Paths { get; } = [.. manifest.Entries.Select(entry => entry.Path)];

    public long? SizeOf(ArtifactPath path) => _sizes.TryGetValue(path, out var size) ? size : null;

    public int ReadAt(ArtifactPath path, long offset, Span<byte> buffer)
    {
        using var handle = File.OpenHandle(Path.Combine(root, path.Value), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var total = 0;
        while (total < buffer.Length)
        {
            var got = RandomAccess.Read(handle, buffer[total..], offset + total);
            if (got == 0) break;
            total += got;
        }

        return total;
    }
}
