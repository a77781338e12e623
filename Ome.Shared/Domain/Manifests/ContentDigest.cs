using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Ome.Shared.Domain.Manifests;

/// <summary>What a digest was taken with.</summary>
public enum DigestAlgorithm
{
    /// <summary>SHA-256 over the bytes: Hugging Face LFS, OCI, and our own truth.</summary>
    Sha256,

    /// <summary>SHA-1 over <c>"blob " + size + NUL + bytes</c>: a git blob id, what the hub lists for files outside LFS.</summary>
    GitSha1,

    /// <summary>MD5 over the bytes: object stores' Content-MD5 and single-part ETags.</summary>
    Md5,

    /// <summary>MD5 over the concatenated binary MD5s of the parts: multipart uploads. Needs the part size.</summary>
    Md5Composite,

    /// <summary>CRC32C over the bytes.</summary>
    Crc32C,
}

/// <summary>
/// An algorithm and its value. Text form <c>sha256:&lt;hex&gt;</c>, <c>git-sha1:&lt;hex&gt;</c>, <c>md5:&lt;hex&gt;</c>,
/// <c>md5-composite:&lt;hex&gt;-&lt;parts&gt;@&lt;part size in bytes&gt;</c>, <c>crc32c:&lt;hex&gt;</c>; hex is lower case.
/// </summary>
public readonly record struct ContentDigest
{
    private const int MaxBytes = 32;

    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    // The digest's bytes, zeros after them: of very many files the text would be most of what a manifest takes in memory.
    private readonly (ulong, ulong, ulong, ulong) _value;

    private ContentDigest(DigestAlgorithm algorithm, ReadOnlySpan<byte> value, int parts, long partSize)
    {
        Span<ulong> words = stackalloc ulong[MaxBytes / sizeof(ulong)];
        words.Clear();
        value.CopyTo(MemoryMarshal.AsBytes(words));
        _value = (words[0], words[1], words[2], words[3]);
        Algorithm = algorithm;
        Parts = parts;
        PartSize = partSize;
    }

    public DigestAlgorithm Algorithm { get; }

    /// <summary>Lower-case hex of the digest's bytes.</summary>
    public string Hex
    {
        get
        {
            ReadOnlySpan<ulong> words = [_value.Item1, _value.Item2, _value.Item3, _value.Item4];
            return Convert.ToHexStringLower(MemoryMarshal.AsBytes(words)[..LengthOf(Algorithm)]);
        }
    }

    /// <summary>Number of parts of a composite digest; 0 otherwise.</summary>
    public int Parts { get; }

    /// <summary>Bytes of each part but the last of a composite digest; 0 otherwise.</summary>
    public long PartSize { get; }

    public static ContentDigest Of(DigestAlgorithm algorithm, ReadOnlySpan<byte> value)
    {
        if (algorithm == DigestAlgorithm.Md5Composite) throw new ArgumentException("A composite digest needs its parts: use OfComposite.", nameof(algorithm));
        if (value.Length != LengthOf(algorithm)) throw new ArgumentException($"{algorithm} has {LengthOf(algorithm)} bytes, not {value.Length}.", nameof(value));
        return new ContentDigest(algorithm, value, 0, 0);
    }

    public static ContentDigest OfComposite(ReadOnlySpan<byte> md5OfMd5s, int parts, long partSize)
    {
        if (md5OfMd5s.Length != 16) throw new ArgumentException($"MD5 has 16 bytes, not {md5OfMd5s.Length}.", nameof(md5OfMd5s));
        ArgumentOutOfRangeException.ThrowIfLessThan(parts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(partSize, 1);
        return new ContentDigest(DigestAlgorithm.Md5Composite, md5OfMd5s, parts, partSize);
    }

    /// <summary>Reads the text form; false for anything else, never an exception.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out ContentDigest? digest)
    {
        digest = null;
        var colon = text.IndexOf(':');
        if (colon <= 0) return false;
        var value = text[(colon + 1)..];
        DigestAlgorithm? algorithm = text[..colon] switch
        {
            "sha256" => DigestAlgorithm.Sha256,
            "git-sha1" => DigestAlgorithm.GitSha1,
            "md5" => DigestAlgorithm.Md5,
            "md5-composite" => DigestAlgorithm.Md5Composite,
            "crc32c" => DigestAlgorithm.Crc32C,
            _ => null,
        };
        if (algorithm is null) return false;
        var (parts, partSize) = (0, 0L);
        if (algorithm == DigestAlgorithm.Md5Composite && !TrySplitComposite(ref value, out parts, out partSize)) return false;
        return TryParseHex(algorithm.Value, value, parts, partSize, out digest);
    }

    /// <summary>Reads the lower-case hex of a SHA-256, without a name before it; false for anything else.</summary>
    public static bool TryParseSha256(ReadOnlySpan<char> hex, [NotNullWhen(true)] out ContentDigest? digest) => TryParseHex(DigestAlgorithm.Sha256, hex, 0, 0, out digest);

    /// <summary>Reads lower-case hex that fills <paramref name="bytes"/>; false for anything else.</summary>
    public static bool TryReadHex(ReadOnlySpan<char> hex, Span<byte> bytes) =>
        hex.Length == 2 * bytes.Length && !hex.ContainsAnyExcept(LowerHex) && Convert.FromHexString(hex, bytes, out _, out _) == OperationStatus.Done;

    public override string ToString() => Algorithm switch
    {
        DigestAlgorithm.Sha256 => $"sha256:{Hex}",
        DigestAlgorithm.GitSha1 => $"git-sha1:{Hex}",
        DigestAlgorithm.Md5 => $"md5:{Hex}",
        DigestAlgorithm.Md5Composite => $"md5-composite:{Hex}-{Parts}@{PartSize}",
        _ => $"crc32c:{Hex}",
    };

    private static bool TryParseHex(DigestAlgorithm algorithm, ReadOnlySpan<char> hex, int parts, long partSize, [NotNullWhen(true)] out ContentDigest? digest)
    {
        Span<byte> value = stackalloc byte[MaxBytes];
        value = value[..LengthOf(algorithm)];
        digest = TryReadHex(hex, value) ? new ContentDigest(algorithm, value, parts, partSize) : null;
        return digest is not null;
    }

    private static bool TrySplitComposite(ref ReadOnlySpan<char> value, out int parts, out long partSize)
    {
        (parts, partSize) = (0, 0);
        var dash = value.IndexOf('-');
        var at = value.IndexOf('@');
        if (dash < 0 || at < dash) return false;
        var plain = System.Globalization.NumberStyles.None;
        var good = int.TryParse(value[(dash + 1)..at], plain, null, out parts)
            && long.TryParse(value[(at + 1)..], plain, null, out partSize) && parts > 0 && partSize > 0;
        value = value[..dash];
        return good;
    }

    private static int LengthOf(DigestAlgorithm algorithm) => algorithm switch
    {
        DigestAlgorithm.Sha256 => MaxBytes,
        DigestAlgorithm.GitSha1 => 20,
        DigestAlgorithm.Crc32C => 4,
        _ => 16,
    };
}
