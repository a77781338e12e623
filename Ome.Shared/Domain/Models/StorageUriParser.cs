using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Ome.Shared.Domain.Models;

/// <summary>The grammar of contract 4.8, one method per scheme. A method returns a case, or null after noting position and reason.</summary>
internal ref struct StorageUriParser
{
    /// <summary>Longest text we look at: far above any real one, far below what could hurt.</summary>
    private const int MaxLength = 4096;

    private const string InvalidOci = "invalid OCI storage URI format, expected oci://n/{namespace}/b/{bucket}/o/{prefix}";
    private static readonly SearchValues<char> RegionCharacters = SearchValues.Create("-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    private static readonly SearchValues<char> NamespaceCharacters = SearchValues.Create("-0123456789abcdefghijklmnopqrstuvwxyz");

    private readonly string _text;
    private readonly int _bodyAt;
    private string? _reason;
    private int _position;

    private StorageUriParser(string text, int bodyAt)
    {
        _text = text;
        _bodyAt = bodyAt;
        _position = bodyAt;
    }

    private readonly string Body => _text[_bodyAt..];

    public static bool TryParse(string? text, [NotNullWhen(true)] out StorageUri? uri, [NotNullWhen(false)] out StorageUriRefusal? refusal)
    {
        text ??= string.Empty;
        uri = null;
        if (Unreadable(text) is { } unreadable)
        {
            refusal = unreadable;
            return false;
        }

        var end = text.IndexOf("://", StringComparison.Ordinal);
        var parser = new StorageUriParser(text, end < 0 ? 0 : end + 3);
        uri = (end < 0 ? string.Empty : text[..end]) switch
        {
            "oci" => parser.Oci(),
            "hf" => parser.HuggingFace(),
            "pvc" => parser.Claim(),
            "vendor" => parser.Vendor(),
            "s3" => parser.S3(),
            "az" => parser.Azure(),
            "gs" => parser.Gcs(),
            "github" => parser.GitHub(),
            "local" => parser.Local(),
            _ => parser.Refuse(0, "unknown storage type, expected one of oci, hf, pvc, vendor, s3, az, gs, github, local followed by ://"),
        };
        refusal = uri is null ? new StorageUriRefusal(Shortened(text), parser._position, parser._reason ?? "not understood") : null;
        return uri is not null;
    }

    public static bool TryParseStrictOci(
        string? text, [NotNullWhen(true)] out StorageUri.Oci? uri, [NotNullWhen(false)] out StorageUriRefusal? refusal)
    {
        text ??= string.Empty;
        uri = null;
        refusal = Unreadable(text);
        if (refusal is not null) return false;
        if (!text.StartsWith("oci://", StringComparison.Ordinal))
        {
            refusal = new StorageUriRefusal(Shortened(text), 0, "missing oci:// prefix");
            return false;
        }

        var parser = new StorageUriParser(text, "oci://".Length);
        uri = parser.OciByMarkers(minimumParts: 6);
        refusal = uri is null ? new StorageUriRefusal(Shortened(text), parser._position, parser._reason ?? InvalidOci) : null;
        return uri is not null;
    }

    private static StorageUriRefusal? Unreadable(string text)
    {
        if (text.Length > MaxLength) return new StorageUriRefusal(Shortened(text), MaxLength, $"longer than {MaxLength} characters");
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsControl(text[i])) return new StorageUriRefusal(Shortened(text), i, "holds a control character");
        }

        return null;
    }

    private static string Shortened(string text) => text.Length <= 256 ? text : string.Concat(text.AsSpan(0, 256), "...");

    private StorageUri? Oci()
    {
        var body = Body;
        if (body.Length == 0) return Refuse(_bodyAt, "missing bucket name");
        if (body.StartsWith("n/", StringComparison.Ordinal)) return OciByMarkers(minimumParts: 5);

        var (first, rest) = SplitFirst(body, '/');
        var at = first.IndexOf('@', StringComparison.Ordinal);
        if (at < 0) return first.Length == 0 ? Refuse(_bodyAt, "missing bucket name") : new StorageUri.Oci(_text, string.Empty, first, rest, string.Empty);

        var region = first[(at + 1)..];
        if (at == 0) return Refuse(_bodyAt, "missing namespace before '@'");
        if (region.Length == 0 || region.AsSpan().ContainsAnyExcept(RegionCharacters)) return Refuse(_bodyAt + at + 1, "invalid region after '@'");
        var (bucket, prefix) = SplitFirst(rest, '/');
        return bucket.Length == 0
            ? Refuse(Math.Min(_text.Length, _bodyAt + first.Length + 1), "missing bucket name")
            : new StorageUri.Oci(_text, first[..at], bucket, prefix, region);
    }

    private StorageUri.Oci? OciByMarkers(int minimumParts)
    {
        var parts = Body.Split('/', 6);
        if (parts.Length < minimumParts || parts[0] != "n" || parts[2] != "b" || parts[4] != "o" || parts[1].Length == 0 || parts[3].Length == 0)
        {
            Refuse(_bodyAt, InvalidOci);
            return null;
        }

        return new StorageUri.Oci(_text, parts[1], parts[3], parts.Length > 5 ? parts[5] : string.Empty, string.Empty);
    }

    private StorageUri? HuggingFace()
    {
        var body = Body;
        if (body.Length == 0) return Refuse(_bodyAt, "missing model ID");
        var at = body.IndexOf('@', StringComparison.Ordinal);
        if (at == 0) return Refuse(_bodyAt, "model ID cannot be empty");
        return at < 0
            ? new StorageUri.HuggingFace(_text, body, StorageUri.HuggingFace.DefaultRevision)
            : new StorageUri.HuggingFace(_text, body[..at], body[(at + 1)..]);
    }

    private StorageUri? Claim()
    {
        var body = Body;
        var slash = body.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0) return Refuse(_text.Length, "missing sub path, expected pvc://[{namespace}:]{claim}/{sub path}");
        if (slash == body.Length - 1) return Refuse(_text.Length, "empty sub path");
        var owner = body[..slash];
        var colon = owner.IndexOf(':', StringComparison.Ordinal);
        if (colon >= 0 && colon != owner.LastIndexOf(':')) return Refuse(_bodyAt + owner.LastIndexOf(':'), "more than one ':' before the sub path");
        var ns = colon < 0 ? string.Empty : owner[..colon];
        if (colon >= 0 && !IsNamespace(ns)) return Refuse(_bodyAt, "invalid namespace: 1 to 63 lower-case letters, digits and '-', no '-' at either end");
        var claim = owner[(colon + 1)..];
        return claim.Length == 0
            ? Refuse(_bodyAt + colon + 1, "missing claim name")
            : new StorageUri.PersistentVolumeClaim(_text, ns, claim, body[(slash + 1)..]);
    }

    private StorageUri? Vendor()
    {
        var body = Body;
        if (body.Length == 0) return Refuse(_bodyAt, "missing vendor name");
        var parts = body.Split('/', 3);
        return parts.Length < 3 || parts.Any(static part => part.Length == 0)
            ? Refuse(_bodyAt, "invalid vendor storage URI format, expected vendor://{vendor}/{type}/{path}")
            : new StorageUri.Vendor(_text, parts[0], parts[1], parts[2]);
    }

    private StorageUri? S3()
    {
        var (first, prefix) = SplitFirst(Body, '/');
        var (bucket, region) = SplitFirst(first, '@');
        if (bucket.Length == 0) return Refuse(_bodyAt, "missing bucket name");
        return region.AsSpan().ContainsAnyExcept(RegionCharacters)
            ? Refuse(_bodyAt + bucket.Length + 1, "invalid region after '@'")
            : new StorageUri.S3(_text, bucket, region, prefix);
    }

    private StorageUri? Azure()
    {
        const string BlobHost = ".blob.core.windows.net";
        var (host, rest) = SplitFirst(Body, '/');
        var account = host.EndsWith(BlobHost, StringComparison.Ordinal) ? host[..^BlobHost.Length] : host;
        if (account.Length == 0) return Refuse(_bodyAt, "missing account name");
        var (container, blob) = SplitFirst(rest, '/');
        return container.Length == 0 ? Refuse(_text.Length, "missing container name") : new StorageUri.Azure(_text, account, container, blob);
    }

    private StorageUri? Gcs()
    {
        var (bucket, name) = SplitFirst(Body, '/');
        return bucket.Length == 0 ? Refuse(_bodyAt, "missing bucket name") : new StorageUri.Gcs(_text, bucket, name);
    }

    private StorageUri? GitHub()
    {
        var (path, tag) = SplitFirst(Body, '@');
        var parts = path.Split('/');
        if (parts.Length != 2 || parts[0].Length == 0 || parts[1].Length == 0) return Refuse(_bodyAt, "expected owner/repository");
        return new StorageUri.GitHub(_text, parts[0], parts[1], tag.Length == 0 ? StorageUri.GitHub.DefaultTag : tag);
    }

    private StorageUri? Local() => Body.Length == 0 ? Refuse(_bodyAt, "missing path") : new StorageUri.Local(_text, Body);

    private static bool IsNamespace(string text) =>
        text.Length is > 0 and <= 63 && text[0] != '-' && text[^1] != '-' && !text.AsSpan().ContainsAnyExcept(NamespaceCharacters);

    private static (string Head, string Tail) SplitFirst(string text, char separator)
    {
        var at = text.IndexOf(separator, StringComparison.Ordinal);
        return at < 0 ? (text, string.Empty) : (text[..at], text[(at + 1)..]);
    }

    private StorageUri? Refuse(int position, string reason)
    {
        _position = position;
        _reason = reason;
        return null;
    }
}
