using System.Collections.Immutable;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Verification.Reading;

/// <summary>The digests of one stream of blocks, taken together in one pass; a worker keeps and reuses them.</summary>
internal sealed class DigestSet : IDisposable
{
    /// <summary>With several digests each piece goes through all of them while it is in the core's cache.</summary>
    private const int Piece = 512 * 1024;

    private readonly XxHash128 _chunk = new();
    private IncrementalHash? _sha256;
    private IncrementalHash? _sha1;
    private IncrementalHash? _md5;
    private IncrementalHash? _part;
    private IncrementalHash? _parts;
    private WholeDigests _whole;
    private bool _chunks;
    private long _partSize;
    private long _partFilled;
    private int _partCount;

    public void Start(WholeDigests whole, bool chunks, long partSize, long size)
    {
        Reset();
        (_whole, _chunks, _partSize) = (whole, chunks, partSize);
        if (whole.HasFlag(WholeDigests.Sha256)) _sha256 ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (whole.HasFlag(WholeDigests.Md5)) _md5 ??= IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        if (whole.HasFlag(WholeDigests.GitSha1))
        {
            _sha1 ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
            _sha1.AppendData(Encoding.ASCII.GetBytes($"blob {size}\0"));
        }

        if (!whole.HasFlag(WholeDigests.Md5Composite)) return;
        _part ??= IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        _parts ??= IncrementalHash.CreateHash(HashAlgorithmName.MD5);
    }

    /// <summary>Adds bytes; they continue those before, except at the start of a chunk when only chunks are wanted.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        var single = _whole == WholeDigests.None || (!_chunks && int.PopCount((int)_whole) == 1);
        if (single)
        {
            AppendPiece(data);
            return;
        }

        for (var at = 0; at < data.Length; at += Piece) AppendPiece(data.Slice(at, Math.Min(Piece, data.Length - at)));
    }

    /// <summary>XXH128 since the last chunk's end.</summary>
    public UInt128 EndChunk()
    {
        var value = _chunk.GetCurrentHashAsUInt128();
        _chunk.Reset();
        return value;
    }

    /// <summary>The digests of the whole content.</summary>
    public (ContentDigest? Sha256, ImmutableArray<ContentDigest> Upstream) EndWhole()
    {
        Span<byte> value = stackalloc byte[32];
        ContentDigest? sha256 = null;
        var upstream = ImmutableArray.CreateBuilder<ContentDigest>();
        if (_whole.HasFlag(WholeDigests.Sha256)) sha256 = ContentDigest.Of(DigestAlgorithm.Sha256, value[.._sha256!.GetHashAndReset(value)]);
        if (_whole.HasFlag(WholeDigests.GitSha1)) upstream.Add(ContentDigest.Of(DigestAlgorithm.GitSha1, value[.._sha1!.GetHashAndReset(value)]));
        if (_whole.HasFlag(WholeDigests.Md5)) upstream.Add(ContentDigest.Of(DigestAlgorithm.Md5, value[.._md5!.GetHashAndReset(value)]));
        if (_whole.HasFlag(WholeDigests.Md5Composite))
        {
            // An empty object still has one, empty, part.
            if (_partFilled > 0 || _partCount == 0) EndPart();
            upstream.Add(ContentDigest.OfComposite(value[.._parts!.GetHashAndReset(value)], _partCount, _partSize));
        }

        return (sha256, upstream.ToImmutable());
    }

    public void Dispose()
    {
        _sha256?.Dispose();
        _sha1?.Dispose();
        _md5?.Dispose();
        _part?.Dispose();
        _parts?.Dispose();
    }

    private void Reset()
    {
        // A stream that was cut short left its digests half way.
        Span<byte> dropped = stackalloc byte[32];
        _ = _sha256?.GetHashAndReset(dropped);
        _ = _sha1?.GetHashAndReset(dropped);
        _ = _md5?.GetHashAndReset(dropped);
        _ = _part?.GetHashAndReset(dropped);
        _ = _parts?.GetHashAndReset(dropped);
        _chunk.Reset();
        (_partFilled, _partCount) = (0, 0);
    }

    private void AppendPiece(ReadOnlySpan<byte> data)
    {
        if (_whole.HasFlag(WholeDigests.Sha256)) _sha256!.AppendData(data);
        if (_whole.HasFlag(WholeDigests.GitSha1)) _sha1!.AppendData(data);
        if (_whole.HasFlag(WholeDigests.Md5)) _md5!.AppendData(data);
        if (_whole.HasFlag(WholeDigests.Md5Composite)) AppendParts(data);
        if (_chunks) _chunk.Append(data);
    }

    private void AppendParts(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            var take = (int)Math.Min(data.Length, _partSize - _partFilled);
            _part!.AppendData(data[..take]);
            _partFilled += take;
            data = data[take..];
            if (_partFilled == _partSize) EndPart();
        }
    }

    private void EndPart()
    {
        Span<byte> md5 = stackalloc byte[16];
        _ = _part!.GetHashAndReset(md5);
        _parts!.AppendData(md5);
        (_partFilled, _partCount) = (0, _partCount + 1);
    }
}
