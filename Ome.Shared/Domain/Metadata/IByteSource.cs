namespace Ome.Shared.Domain.Metadata;

/// <summary>
/// Bytes that can be read at an offset: a file at the rim, an array in a test. Headers are read through it with bounded memory.
/// A failure to read is the implementation's exception and passes through the parsers untouched: it says nothing about the content.
/// </summary>
public interface IByteSource
{
    /// <summary>Bytes there are.</summary>
    long Length { get; }

    /// <summary>Fills as much of <paramref name="buffer"/> as there is from <paramref name="offset"/> on; 0 only at the end.</summary>
    int ReadAt(long offset, Span<byte> buffer);
}
