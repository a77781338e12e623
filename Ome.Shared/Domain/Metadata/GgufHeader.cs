using System.Collections.Immutable;

namespace Ome.Shared.Domain.Metadata;

/// <summary>
/// The header of a GGUF file: magic, version, key-value pairs, tensor infos; then aligned tensor data.
/// Versions 2 and 3, little-endian; bounded memory for any input.
/// </summary>
public sealed class GgufHeader
{
    internal const long MaxRetainedBytes = 40L * 1024 * 1024;

    private const uint Magic = 0x46554747; // "GGUF"
    private const int MaxKeptText = 4096;
    private const int MaxNameBytes = 64 * 1024;

    private GgufHeader(uint version, ImmutableSortedDictionary<string, object> values, ImmutableArray<TensorInfo> tensors, long dataOffset)
    {
        Version = version;
        Values = values;
        Tensors = tensors;
        DataOffset = dataOffset;
    }

    public uint Version { get; }

    /// <summary>Scalars (<c>ulong</c>, <c>long</c>, <c>double</c>, <c>bool</c>) and texts up to 4 KiB by key; of an array, its length as <c>ulong</c>.</summary>
    public ImmutableSortedDictionary<string, object> Values { get; }

    /// <summary>In file order.</summary>
    public ImmutableArray<TensorInfo> Tensors { get; }

    /// <summary>First byte of the tensor data.</summary>
    public long DataOffset { get; }

    public static Parsed<GgufHeader> Read(IByteSource source)
    {
        var cursor = new GgufCursor(source);
        try
        {
            return Read(cursor, source.Length);
        }
        catch (GgufCursor.StopException stop)
        {
            return stop.Problem;
        }
    }

    private static Parsed<GgufHeader> Read(GgufCursor cursor, long fileLength)
    {
        if (cursor.UInt32("magic") != Magic) return StructureProblem.Broken("the file does not begin with GGUF", 0);
        var version = cursor.UInt32("version");
        if ((version & 0xffff) == 0) return StructureProblem.NotExamined("a big-endian GGUF file");
        if (version is not (2 or 3)) return StructureProblem.NotExamined($"GGUF version {version}");
        var tensorCount = cursor.UInt64("tensor count");
        var pairCount = cursor.UInt64("key-value count");
        // The smallest tensor info has 24 bytes, the smallest pair 13: counts that cannot fit are damage, found before any loop runs on them.
        if (tensorCount > (ulong)fileLength / 24) return StructureProblem.Broken($"{tensorCount} tensors do not fit in {fileLength} bytes", 8);
        if (pairCount > (ulong)fileLength / 13) return StructureProblem.Broken($"{pairCount} key-value pairs do not fit in {fileLength} bytes", 16);

        var values = ImmutableSortedDictionary.CreateBuilder<string, object>(StringComparer.Ordinal);
        var retained = 0L;
        for (var i = 0UL; i < pairCount; i++)
        {
            var key = cursor.Text("key", MaxNameBytes);
            var value = cursor.Value(cursor.UInt32("value type"), MaxKeptText);
            retained += 150 + (4L * key.Length) + (value is string text ? 2L * text.Length : 0);
            if (retained > MaxRetainedBytes) return StructureProblem.NotExamined($"more than {values.Count} key-value pairs");
            if (value is not null) values[key] = value;
        }

        var alignment = values.TryGetValue("general.alignment", out var stated) && stated is ulong bytes ? bytes : 32;
        if (alignment is 0 or > 1 << 20) return StructureProblem.Broken($"an alignment of {alignment} bytes");

        var raw = new List<(TensorInfo Info, bool SizeKnown)>();
        var offset = 0L;
        for (var i = 0UL; i < tensorCount; i++)
        {
            var at = cursor.Position;
            var (info, type) = ReadTensor(cursor);
            retained += 250 + (2L * info.Name.Length);
            if (retained > MaxRetainedBytes) return StructureProblem.NotExamined($"more than {raw.Count} tensors");
            if (offset >= 0 && info.Offset != offset)
                return StructureProblem.Broken($"tensor '{info.Name}' begins at data byte {info.Offset}, expected {offset}", at);
            var size = GgufTypes.Bytes(type, info.Elements);
            if (info.Offset > fileLength) return StructureProblem.Broken($"tensor '{info.Name}' begins at data byte {info.Offset}, the file has {fileLength}", at);
            if (size > fileLength) return StructureProblem.Broken($"tensor '{info.Name}' has {size} bytes, the file {fileLength}", at);
            raw.Add((info with { Length = size ?? 0 }, size is not null));
            // After a type of unknown size the next offset cannot be foretold; the chain starts anew there.
            offset = size is null ? -1 : Align(info.Offset + size.Value, alignment);
        }

        var dataOffset = Align(cursor.Position, alignment);
        foreach (var (info, _) in raw)
        {
            if (info.Offset > fileLength - dataOffset - info.Length)
            {
                return StructureProblem.Broken(
                    $"tensor '{info.Name}' ends at byte {(UInt128)info.Offset + (ulong)dataOffset + (ulong)info.Length}, the file at {fileLength}", fileLength);
            }
        }

        return new GgufHeader(version, values.ToImmutable(), [.. raw.Select(tensor => tensor.Info with { Offset = tensor.Info.Offset + dataOffset })], dataOffset);
    }

    private static (TensorInfo Info, uint Type) ReadTensor(GgufCursor cursor)
    {
        var at = cursor.Position;
        var name = cursor.Text("tensor name", MaxNameBytes);
        var rank = cursor.UInt32("dimension count");
        if (rank > 8) throw GgufCursor.Broken($"tensor '{name}' has {rank} dimensions", at);
        var shape = new long[rank];
        for (var i = 0; i < rank; i++) shape[i] = cursor.Size("dimension");
        var type = cursor.UInt32("tensor type");
        var offset = cursor.Size("tensor offset");
        return (new TensorInfo(name, GgufTypes.Name(type), [.. shape], offset, 0), type);
    }

    private static long Align(long offset, ulong alignment)
    {
        var unit = (long)alignment;
        return offset > long.MaxValue - unit ? long.MaxValue : (offset + unit - 1) / unit * unit;
    }
}
