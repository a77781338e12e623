using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Objects;

/// <summary>What an object store publishes that the bytes of one object can be held to (contract 5.1, rows 4 to 7).</summary>
public abstract record ObjectExpectation
{
    private ObjectExpectation()
    {
    }

    /// <summary>The MD5 of the whole object.</summary>
    public sealed record Whole(ContentDigest Md5) : ObjectExpectation;

    /// <summary>
    /// The MD5 of the parts' MD5s. The size of the parts is not published: it can be proven by finding a size under which the
    /// digest comes out, never disproven.
    /// </summary>
    /// <param name="Value">16 bytes as lower-case hex.</param>
    /// <param name="Parts">Number of parts, at least 1.</param>
    public sealed record Multipart(string Value, int Parts) : ObjectExpectation;

    /// <summary>Nothing beside the size.</summary>
    public sealed record SizeOnly : ObjectExpectation;

    /// <summary>Reads the three header values of OCI Object Storage; null or empty for a header that is not there.</summary>
    /// <param name="contentMd5"><c>Content-MD5</c>: base64 of the object's MD5.</param>
    /// <param name="multipartMd5"><c>opc-multipart-md5</c>: base64 of the MD5 of MD5s, a dash, the number of parts.</param>
    /// <param name="metadataMd5"><c>opc-meta-md5</c>: base64 of the object's MD5, as the uploader put it into the user metadata.</param>
    public static ObjectExpectation FromOci(string? contentMd5, string? multipartMd5, string? metadataMd5)
    {
        if (!string.IsNullOrEmpty(contentMd5)) return OfBase64(contentMd5);
        if (!IsMultipartForm(multipartMd5)) return new SizeOnly();
        if (!string.IsNullOrEmpty(metadataMd5)) return OfBase64(metadataMd5);
        var dash = multipartMd5!.IndexOf('-', StringComparison.Ordinal);
        var parts = int.Parse(multipartMd5.AsSpan(dash + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (parts < 1 || Decode(multipartMd5[..dash]) is not { } value) return new SizeOnly();
        return new Multipart(Convert.ToHexStringLower(value), parts);
    }

    /// <summary>Reads an S3 entity tag: 32 hex digits, for a multipart upload followed by a dash and the number of parts.</summary>
    /// <remarks>With KMS or customer keys an entity tag is no MD5; the caller must know the encryption before it takes one for it.</remarks>
    public static ObjectExpectation FromEntityTag(string? entityTag)
    {
        var text = entityTag?.Trim('"').ToLowerInvariant() ?? "";
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        var hex = dash < 0 ? text : text[..dash];
        if (hex.Length != 32 || !hex.All(char.IsAsciiHexDigitLower)) return new SizeOnly();
        if (dash < 0) return new Whole(ContentDigest.Of(DigestAlgorithm.Md5, Convert.FromHexString(hex)));
        return int.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var parts) && parts > 0
            ? new Multipart(hex, parts)
            : new SizeOnly();
    }

    /// <summary>Text that a dash splits into exactly two parts, the second an integer (contract 10.8 P20).</summary>
    public static bool IsMultipartForm(string? text) =>
        text?.Split('-') is [_, var parts] && int.TryParse(parts, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);

    private static ObjectExpectation OfBase64(string text) => Decode(text) is { } md5 ? new Whole(ContentDigest.Of(DigestAlgorithm.Md5, md5)) : new SizeOnly();

    private static byte[]? Decode(string text)
    {
        var bytes = new byte[16];
        return Base64.IsValid(Encoding.UTF8.GetBytes(text), out var length) && length == 16 && Convert.TryFromBase64String(text, bytes, out _) ? bytes : null;
    }
}
