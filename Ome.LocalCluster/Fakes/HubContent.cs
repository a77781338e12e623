using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ome.LocalCluster.Fakes;

/// <summary>Bytes of one file on the fake hub, with the digests the hub publishes for them.</summary>
public sealed class HubContent
{
    private const long LfsThreshold = 10L << 20;

    private static readonly HashSet<string> LfsExtensions =
        new(StringComparer.OrdinalIgnoreCase) { ".safetensors", ".bin", ".gguf", ".pt", ".pth", ".onnx", ".h5", ".msgpack", ".zip" };

    private readonly byte[]? _bytes;
    private readonly string? _file;

    private HubContent(byte[]? bytes, string? file, long length, string sha256, string gitSha1, bool isLfs)
    {
        (_bytes, _file, Length, Sha256, IsLfs) = (bytes, file, length, sha256, isLfs);
        // Outside LFS git stores the bytes; inside it stores a pointer, whose blob id the hub lists as the file's.
        Oid = isLfs ? GitBlob(Pointer) : gitSha1;
    }

    public long Length { get; }

    /// <summary>Lower-case hex.</summary>
    public string Sha256 { get; }

    /// <summary>Git blob id the hub lists; for LFS that of the pointer.</summary>
    public string Oid { get; }

    /// <summary>True for what a model repository's <c>.gitattributes</c> would send to LFS.</summary>
    public bool IsLfs { get; }

    /// <summary>Entity tag without quotes: SHA-256 for LFS, git blob id otherwise.</summary>
    public string ETag => IsLfs ? Sha256 : Oid;

    /// <summary>The text git holds for an LFS file.</summary>
    public byte[] Pointer =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"version https://git-lfs.github.com/spec/v1\noid sha256:{Sha256}\nsize {Length}\n"));

    public static HubContent Of(string path, byte[] bytes) =>
        new(bytes, null, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)), GitBlob(bytes), BelongsToLfs(path, bytes.Length));

    /// <summary>Reads the file once for its digests; its bytes stay on disk.</summary>
    public static HubContent OfFile(string path, string file)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var sha1 = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        using var stream = File.OpenRead(file);
        var isLfs = BelongsToLfs(path, stream.Length);
        sha1.AppendData(BlobHeader(stream.Length));
        var buffer = new byte[1 << 20];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            sha256.AppendData(buffer, 0, read);
            if (!isLfs) sha1.AppendData(buffer, 0, read);
        }

        return new(null, file, stream.Length, Convert.ToHexStringLower(sha256.GetHashAndReset()), Convert.ToHexStringLower(sha1.GetHashAndReset()), isLfs);
    }

    /// <summary>Opens the bytes from an offset.</summary>
    public Stream Open(long offset)
    {
        Stream stream = _bytes is not null
            ? new MemoryStream(_bytes, writable: false)
            : new FileStream(_file!, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: false);
        stream.Position = offset;
        return stream;
    }

    private static bool BelongsToLfs(string path, long length) => LfsExtensions.Contains(Path.GetExtension(path)) || length > LfsThreshold;

    private static string GitBlob(byte[] bytes) => Convert.ToHexStringLower(SHA1.HashData([.. BlobHeader(bytes.Length), .. bytes]));

    private static byte[] BlobHeader(long length) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {length}\0"));
}
