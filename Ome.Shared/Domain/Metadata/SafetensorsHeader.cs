using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Ome.Shared.Domain.Metadata;

/// <summary>
/// The header of a safetensors file: eight bytes of length, a JSON object of tensors, then their data without holes up to the last byte.
/// Read as strictly as the format's own loader reads it, in bounded memory.
/// </summary>
public sealed class SafetensorsHeader
{
    /// <summary>Longest header the format's loader accepts.</summary>
    public const long MaxHeaderBytes = 100_000_000;

    /// <summary>Memory the tensors may fill before we stop examining; about 200,000 tensors.</summary>
    internal const long MaxRetainedBytes = 40L * 1024 * 1024;

    private SafetensorsHeader(ImmutableArray<TensorInfo> tensors, ImmutableSortedDictionary<string, string> metadata, long dataOffset)
    {
        Tensors = tensors;
        Metadata = metadata;
        DataOffset = dataOffset;
    }

    /// <summary>In the order of their data.</summary>
    public ImmutableArray<TensorInfo> Tensors { get; }

    /// <summary>The <c>__metadata__</c> member; values beyond 4 KiB are left out.</summary>
    public ImmutableSortedDictionary<string, string> Metadata { get; }

    /// <summary>First byte of the data: 8 + length of the header.</summary>
    public long DataOffset { get; }

    public static Parsed<SafetensorsHeader> Read(IByteSource source)
    {
        var fileLength = source.Length;
        Span<byte> prefix = stackalloc byte[9];
        var got = ReadFully(source, prefix);
        if (got < 8) return StructureProblem.Broken($"the file has {fileLength} bytes, less than the 8 of a header length", 0);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > MaxHeaderBytes) return StructureProblem.Broken($"the header length says {headerLength} bytes, more than {MaxHeaderBytes}", 0);
        var dataOffset = 8 + (long)headerLength;
        if (dataOffset > fileLength) return StructureProblem.Broken($"the header should end at byte {dataOffset}, the file ends at {fileLength}", 0);
        if (got < 9 || prefix[8] != '{') return StructureProblem.Broken("the header does not begin with '{'", 8);

        var collector = new SafetensorsCollector(dataOffset);
        return JsonTokens.Read(source, 8, (long)headerLength, collector.Take)
            ?? CheckLayout(collector.Tensors, dataOffset, fileLength)
            ?? (Parsed<SafetensorsHeader>)new SafetensorsHeader([.. collector.Tensors], collector.Metadata.ToImmutable(), dataOffset);
    }

    /// <summary>Sorts by offset, then holds the loader's rules: contiguous from the first byte, sizes as the shapes say, last end = end of file.</summary>
    private static StructureProblem? CheckLayout(List<TensorInfo> tensors, long dataOffset, long fileLength)
    {
        tensors.Sort(static (left, right) =>
            left.Offset != right.Offset ? left.Offset.CompareTo(right.Offset) : left.Length.CompareTo(right.Length));
        var expected = dataOffset;
        foreach (var tensor in tensors)
        {
            if (tensor.Offset != expected)
            {
                var what = tensor.Offset > expected ? "a hole before it" : "an overlap with the one before";
                return StructureProblem.Broken($"tensor '{tensor.Name}' begins at byte {tensor.Offset}, expected {expected}: {what}", tensor.Offset);
            }

            if (SafetensorsTypes.Bits(tensor.Type) is { } bits && !Fits(tensor, bits))
            {
                return StructureProblem.Broken(
                    $"tensor '{tensor.Name}' of type {tensor.Type} and shape [{string.Join(',', tensor.Shape)}] has {tensor.Length} bytes", tensor.Offset);
            }

            expected = tensor.Offset + tensor.Length;
        }

        return expected == fileLength
            ? null
            : StructureProblem.Broken($"the last tensor ends at byte {expected}, the file at {fileLength}", Math.Min(expected, fileLength));
    }

    private static bool Fits(TensorInfo tensor, int bits) => tensor.Elements < long.MaxValue && (UInt128)tensor.Elements * (uint)bits == (UInt128)tensor.Length * 8;

    private static int ReadFully(IByteSource source, Span<byte> buffer)
    {
        var held = 0;
        while (held < buffer.Length)
        {
            var got = source.ReadAt(held, buffer[held..]);
            if (got == 0) break;
            held += got;
        }

        return held;
    }
}
