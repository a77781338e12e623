using Ome.Shared.Domain.Metadata;

namespace Ome.Tests.Support;

/// <summary>Bytes in memory; counts what was asked of it, and may pretend to be longer than what it holds (zeros beyond).</summary>
internal sealed class ArrayByteSource(byte[] bytes, long? pretendLength = null) : IByteSource
{
    public long Length => pretendLength ?? bytes.Length;

    public long BytesRead { get; private set; }

    public int ReadAt(long offset, Span<byte> buffer)
    {
        var count = (int)Math.Min(buffer.Length, Math.Max(0, Length - offset));
        for (var i = 0; i < count; i++) buffer[i] = offset + i < bytes.Length ? bytes[offset + i] : (byte)0;
        BytesRead += count;
        return count;
    }
}
