using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Metadata;

namespace Ome.Tests.Support;

/// <summary>An artifact in memory; a file can be told to fail.</summary>
internal sealed class MemoryModelFiles : IModelFiles
{
    private readonly SortedDictionary<ArtifactPath, byte[]> _files = [];
    private readonly HashSet<ArtifactPath> _broken = [];

    public IReadOnlyList<ArtifactPath> Paths => [.. _files.Keys];

    public MemoryModelFiles With(string path, string text) => With(path, Encoding.UTF8.GetBytes(text));

    public MemoryModelFiles With(string path, byte[] content)
    {
        _files[ArtifactPath.Parse(path)] = content;
        return this;
    }

    public MemoryModelFiles Unreadable(string path)
    {
        _broken.Add(ArtifactPath.Parse(path));
        return this;
    }

    public long? SizeOf(ArtifactPath path) => _files.TryGetValue(path, out var content) ? content.Length : null;

    public int ReadAt(ArtifactPath path, long offset, Span<byte> buffer)
    {
        if (_broken.Contains(path)) throw new IOException("Input/output error");
        var content = _files[path];
        if (offset >= content.Length) return 0;
        var count = (int)Math.Min(buffer.Length, content.Length - offset);
        content.AsSpan((int)offset, count).CopyTo(buffer);
        return count;
    }

    /// <summary>A well-formed safetensors file whose tensors are bfloat16 zeros of these shapes.</summary>
    public static byte[] Safetensors(params (string Name, long[] Shape)[] tensors)
    {
        var offset = 0L;
        var header = new Dictionary<string, object>();
        foreach (var (name, shape) in tensors)
        {
            var bytes = shape.Aggregate(1L, (product, dim) => product * dim) * 2;
            header[name] = new { dtype = "BF16", shape, data_offsets = new[] { offset, offset + bytes } };
            offset += bytes;
        }

        return Raw(JsonSerializer.Serialize(header), offset);
    }

    public static byte[] Raw(string header, long dataBytes, ulong? claimedLength = null)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var file = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(file, claimedLength ?? (ulong)json.Length);
        json.CopyTo(file, 8);
        return file;
    }
}
