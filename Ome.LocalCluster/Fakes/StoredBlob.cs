using System.Globalization;
using System.Security.Cryptography;

namespace Ome.LocalCluster.Fakes;

/// <summary>One object of the fake store with the digests a real one would publish for the way it was uploaded.</summary>
public sealed class StoredBlob
{
    private readonly byte[] _bytes;

    private StoredBlob(byte[] bytes, string entityTag, string? md5, string? multipartMd5, string? metadataMd5, long partSize) =>
        (_bytes, EntityTag, Md5, MultipartMd5, MetadataMd5, PartSize) = (bytes, entityTag, md5, multipartMd5, metadataMd5, partSize);

    /// <summary>Changes with every upload.</summary>
    public string EntityTag { get; }

    /// <summary>Base64; null for a multipart upload.</summary>
    public string? Md5 { get; }

    /// <summary>Base64, dash, number of parts; null for an upload in one piece.</summary>
    public string? MultipartMd5 { get; }

    /// <summary>What the uploader put into the user metadata as <c>md5</c>.</summary>
    public string? MetadataMd5 { get; }

    /// <summary>Bytes of a part; 0 for an upload in one piece.</summary>
    public long PartSize { get; }

    public long Length => _bytes.Length;

    /// <summary>S3's entity tag, without quotes: hex of the MD5, or of the MD5 of MD5s with the number of parts.</summary>
    public string S3EntityTag => Md5 is not null ? Hex(Md5) : Hex(MultipartMd5![..MultipartMd5!.LastIndexOf('-')]) + MultipartMd5[MultipartMd5.LastIndexOf('-')..];

    /// <summary>Uploaded in one piece.</summary>
    /// <param name="bytes">Content.</param>
    /// <param name="version">Makes the entity tag.</param>
    /// <param name="withMd5">False for the rare object without any digest.</param>
    public static StoredBlob Of(byte[] bytes, int version = 1, bool withMd5 = true) =>
        new(bytes, TagOf(version), withMd5 ? Convert.ToBase64String(MD5.HashData(bytes)) : null, null, null, 0);

    /// <summary>Uploaded in parts.</summary>
    /// <param name="bytes">Content.</param>
    /// <param name="partSize">Of all parts but the last.</param>
    /// <param name="withMetadata">Whether the uploader also gave the MD5 of the whole.</param>
    /// <param name="version">Makes the entity tag.</param>
    public static StoredBlob OfParts(byte[] bytes, int partSize, bool withMetadata = false, int version = 1)
    {
        var digests = bytes.Chunk(partSize).Select(MD5.HashData).ToList();
        if (digests.Count == 0) digests.Add(MD5.HashData([]));
        var composite = Convert.ToBase64String(MD5.HashData([.. digests.SelectMany(digest => digest)]));
        var whole = withMetadata ? Convert.ToBase64String(MD5.HashData(bytes)) : null;
        return new(bytes, TagOf(version), null, string.Create(CultureInfo.InvariantCulture, $"{composite}-{digests.Count}"), whole, partSize);
    }

    public Stream Open(long offset) => new MemoryStream(_bytes, writable: false) { Position = offset };

    private static string TagOf(int version) => string.Create(CultureInfo.InvariantCulture, $"00000000-0000-4000-8000-{version:x12}");

    private static string Hex(string base64) => Convert.ToHexStringLower(Convert.FromBase64String(base64));
}
