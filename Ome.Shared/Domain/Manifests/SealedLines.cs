using System.Security.Cryptography;

namespace Ome.Shared.Domain.Manifests;

/// <summary>The lines of a sealed file's body, hashed while they are read. A line lives until the next is taken.</summary>
public sealed class SealedLines : IDisposable
{
    private readonly Stream _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private long _left;

    internal SealedLines(Stream file, long bytes, string sha256) => (_file, _left, Bytes, Sha256) = (file, bytes, bytes, sha256);

    /// <summary>Of the whole body.</summary>
    public long Bytes { get; }

    /// <summary>Of the body, as the first line of the file has it; true when the file turns out to be sound.</summary>
    public string Sha256 { get; }

    /// <summary>The next line without its end; false after the last. Each must end with a line feed.</summary>
    public bool TryNext(out ReadOnlySpan<byte> line)
    {
        var searched = 0;
        do
        {
            var end = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (end >= 0)
            {
                line = _buffer.AsSpan(_start, searched + end);
                _start += searched + end + 1;
                return true;
            }

            searched = _end - _start;
        }
        while (Fill());
        line = default;
        return _start < _end ? throw new FormatException("the last line has no end") : false;
    }

    public void Dispose() => _hash.Dispose();

    /// <summary>Reads what is left; true when all bytes are those that were sealed.</summary>
    internal bool AreThoseSealed()
    {
        do _start = _end;
        while (Fill());
        return string.Equals(Convert.ToHexStringLower(_hash.GetCurrentHash()), Sha256, StringComparison.Ordinal);
    }

    /// <summary>Reads more behind what is not yet taken; false when the body ends.</summary>
    private bool Fill()
    {
        if (_left == 0) return false;
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        if (_end == _buffer.Length) Array.Resize(ref _buffer, 2 * _buffer.Length);
        var got = _file.Read(_buffer.AsSpan(_end, (int)Math.Min(_buffer.Length - _end, _left)));
        if (got == 0) throw new EndOfStreamException("it became shorter while it was read");
        _hash.AppendData(_buffer, _end, got);
        _end += got;
        _left -= got;
        return true;
    }
}
