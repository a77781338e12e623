using System.Buffers.Binary;
using System.Text;

namespace Ome.Shared.Domain.Metadata;

/// <summary>Reads GGUF's little-endian values forward through a window of 64 KiB.</summary>
internal sealed class GgufCursor(IByteSource source)
{
    /// <summary>Longest header we walk; the largest known ones (vocabularies of 256,000 texts) are near 20 MiB.</summary>
    private const long MaxHeaderBytes = 256L * 1024 * 1024;

    private const int MaxNesting = 4;

    private readonly byte[] _window = new byte[64 * 1024];
    private long _windowStart;
    private int _held;

    public long Position { get; private set; }

    public uint UInt32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));

    public ulong UInt64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, what));

    /// <summary>A 64-bit value that must be a size or an offset.</summary>
    public long Size(string what)
    {
        var at = Position;
        var value = UInt64(what);
        return value <= long.MaxValue ? (long)value : throw Broken($"{what} is {value}", at);
    }

    /// <summary>A text that we need; longer than <paramref name="maxBytes"/> is damage.</summary>
    public string Text(string what, int maxBytes)
    {
        var at = Position;
        var length = UInt64(what);
        if (length > (ulong)maxBytes) throw Broken($"{what} has {length} bytes", at);
        return Encoding.UTF8.GetString(Take((int)length, what));
    }

    /// <summary>One value of the given type; null for a text too long to keep.</summary>
    public object? Value(uint type, int maxKeptText, int depth = 0)
    {
        const string What = "value";
        switch (type)
        {
            case 0: return (ulong)Take(1, What)[0];
            case 1: return (long)(sbyte)Take(1, What)[0];
            case 2: return (ulong)BinaryPrimitives.ReadUInt16LittleEndian(Take(2, What));
            case 3: return (long)BinaryPrimitives.ReadInt16LittleEndian(Take(2, What));
            case 4: return (ulong)UInt32(What);
            case 5: return (long)(int)UInt32(What);
            case 6: return (double)BinaryPrimitives.ReadSingleLittleEndian(Take(4, What));
            case 7: return Take(1, What)[0] != 0;
            case 8: return KeptText(maxKeptText);
            case 9: return SkipArray(depth);
            case 10: return UInt64(What);
            case 11: return (long)UInt64(What);
            case 12: return BinaryPrimitives.ReadDoubleLittleEndian(Take(8, What));
            default: throw Broken($"a value has the unknown type {type}", Position - 4);
        }
    }

    private string? KeptText(int maxKeptText)
    {
        var length = Size("text length");
        if (length <= maxKeptText) return Encoding.UTF8.GetString(Take((int)length, "text"));
        Skip(length);
        return null;
    }

    private ulong SkipArray(int depth)
    {
        var at = Position;
        if (depth >= MaxNesting) throw Broken("arrays nest too deep", at);
        var type = UInt32("array type");
        var count = UInt64("array length");
        var width = type switch { 0 or 1 or 7 => 1, 2 or 3 => 2, 4 or 5 or 6 => 4, 10 or 11 or 12 => 8, 8 => 8, 9 => 12, _ => throw Broken($"an array of the unknown type {type}", at) };
        if (count > (ulong)(source.Length - Position) / (ulong)width) throw Broken($"an array of {count} values does not fit", at);
        if (type is not (8 or 9)) Skip((long)count * width);
        else if (type == 8) for (var i = 0UL; i < count; i++) Skip(Size("text length"));
        else for (var i = 0UL; i < count; i++) SkipArray(depth + 1);
        return count;
    }

    private void Skip(long bytes)
    {
        if (bytes > source.Length - Position) throw Broken($"the header ends {bytes - (source.Length - Position)} bytes beyond the file", Position);
        Position += bytes;
        ThrowIfTooLong();
    }

    private ReadOnlySpan<byte> Take(int bytes, string what)
    {
        if (bytes > source.Length - Position) throw Broken($"the file ends inside {what}", Position);
        if (Position < _windowStart || Position + bytes > _windowStart + _held) Fill(bytes, what);
        var span = _window.AsSpan((int)(Position - _windowStart), bytes);
        Position += bytes;
        ThrowIfTooLong();
        return span;
    }

    private void ThrowIfTooLong()
    {
        if (Position > MaxHeaderBytes) throw new StopException(StructureProblem.NotExamined($"a header beyond {MaxHeaderBytes} bytes"));
    }

    private void Fill(int bytes, string what)
    {
        (_windowStart, _held) = (Position, 0);
        while (_held < bytes)
        {
            var got = source.ReadAt(_windowStart + _held, _window.AsSpan(_held));
            if (got == 0) throw Broken($"the file ends inside {what}", _windowStart + _held);
            _held += got;
        }
    }

    public static StopException Broken(string message, long offset) => new(StructureProblem.Broken(message, offset));

    /// <summary>Stops the parse; never leaves <see cref="GgufHeader.Read(IByteSource)"/>.</summary>
    public sealed class StopException(StructureProblem problem) : Exception(problem.Message)
    {
        public StructureProblem Problem { get; } = problem;
    }
}
