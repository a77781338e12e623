using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Staging;

/// <summary>
/// Takes SHA-256 and every digest the source publishes over the content of one file, in one pass and in order of the bytes.
/// </summary>
internal sealed class WholeDigester : IDisposable
{
    private readonly ImmutableArray<ContentDigest> _expected;
    private readonly ImmutableArray<ContentDigest> _alternatives;
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash? _gitSha1;
    private readonly IncrementalHash? _md5;
    private readonly List<CompositeMd5> _composites = [];
    private readonly bool _wantsCrc;
    private uint _crc = ~0u;
    private ContentDigest? _sha256Result;
    private ContentDigest? _gitSha1Result;
    private ContentDigest? _md5Result;

    /// <summary>For a listed file: everything its source publishes.</summary>
    public WholeDigester(ArtifactFile file)
    {
        (_expected, _alternatives) = (file.Digests, file.Alternatives);
        foreach (var digest in _expected.Concat(_alternatives))
        {
            switch (digest.Algorithm)
            {
                case DigestAlgorithm.GitSha1 when _gitSha1 is null:
                    _gitSha1 = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
                    _gitSha1.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {file.Size}\0")));
                    break;
                case DigestAlgorithm.Md5:
                    _md5 ??= IncrementalHash.CreateHash(HashAlgorithmName.MD5);
                    break;
                case DigestAlgorithm.Md5Composite:
                    _composites.Add(new CompositeMd5(digest.PartSize));
                    break;
                case DigestAlgorithm.Crc32C:
                    _wantsCrc = true;
                    break;
            }
        }
    }

    /// <summary>Bytes taken so far; the next must be the one at this position.</summary>
    public long Position { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _sha256.AppendData(bytes);
        _gitSha1?.AppendData(bytes);
        _md5?.AppendData(bytes);
        foreach (var composite in _composites) composite.Append(bytes);
        if (_wantsCrc) _crc = Crc(_crc, bytes);
        Position += bytes.Length;
    }

    /// <summary>SHA-256 of the content, and the first published digest it does not match, with what it is instead; null when it matches all.</summary>
    public (ContentDigest Sha256, (ContentDigest Expected, ContentDigest Actual)? Mismatch) Finish()
    {
        var actual = ActualOf(_expected);
        for (var i = 0; i < _expected.Length; i++)
        {
            if (actual[i] != _expected[i]) return (Sha256, (_expected[i], actual[i]));
        }

        return (Sha256, null);
    }

    /// <summary>The first alternative that the content is proven by; null when there is none, which says nothing of the content.</summary>
    public ContentDigest? Proof()
    {
        var actual = ActualOf(_alternatives);
        for (var i = 0; i < actual.Length; i++)
        {
            if (actual[i] == _alternatives[i]) return actual[i];
        }

        return null;
    }

    /// <summary>For each digest, which must be one of those asked for, what the content gives instead. Ends the taking of bytes.</summary>
    private ImmutableArray<ContentDigest> ActualOf(ImmutableArray<ContentDigest> digests)
    {
        End();
        return [.. digests.Select(digest => digest.Algorithm switch
        {
            DigestAlgorithm.Sha256 => Sha256,
            DigestAlgorithm.GitSha1 => _gitSha1Result!.Value,
            DigestAlgorithm.Md5 => _md5Result!.Value,
            DigestAlgorithm.Md5Composite => _composites.First(composite => composite.PartSize == digest.PartSize).Finish(),
            _ => ContentDigest.Of(DigestAlgorithm.Crc32C, BigEndian(~_crc)),
        })];
    }

    private ContentDigest Sha256 => _sha256Result!.Value;

    private void End()
    {
        if (_sha256Result is not null) return;
        _sha256Result = ContentDigest.Of(DigestAlgorithm.Sha256, _sha256.GetHashAndReset());
        _gitSha1Result = _gitSha1 is null ? null : ContentDigest.Of(DigestAlgorithm.GitSha1, _gitSha1.GetHashAndReset());
        _md5Result = _md5 is null ? null : ContentDigest.Of(DigestAlgorithm.Md5, _md5.GetHashAndReset());
    }

    public void Dispose()
    {
        _sha256.Dispose();
        _gitSha1?.Dispose();
        _md5?.Dispose();
        foreach (var composite in _composites) composite.Dispose();
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BitConverter.ToUInt64(bytes));
            bytes = bytes[8..];
        }

        foreach (var value in bytes) crc = BitOperations.Crc32C(crc, value);
        return crc;
    }

    private static byte[] BigEndian(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    /// <summary>MD5 of the parts' MD5s, as multipart uploads have them.</summary>
    private sealed class CompositeMd5(long partSize) : IDisposable
    {
        private readonly IncrementalHash _part = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        private readonly IncrementalHash _all = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        private long _inPart;
        private int _parts;
        private ContentDigest? _result;

        public long PartSize { get; } = partSize;

        public void Append(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                var take = (int)Math.Min(bytes.Length, PartSize - _inPart);
                _part.AppendData(bytes[..take]);
                bytes = bytes[take..];
                _inPart += take;
                if (_inPart == PartSize) EndPart();
            }
        }

        public ContentDigest Finish()
        {
            if (_inPart > 0 || _parts == 0) EndPart();
            return _result ??= ContentDigest.OfComposite(_all.GetHashAndReset(), _parts, PartSize);
        }

        public void Dispose()
        {
            _part.Dispose();
            _all.Dispose();
        }

        private void EndPart()
        {
            if (_result is not null) return;
            _all.AppendData(_part.GetHashAndReset());
            _inPart = 0;
            _parts++;
        }
    }
}
