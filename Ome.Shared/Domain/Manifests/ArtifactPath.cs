using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Ome.Shared.Domain.Manifests;

/// <summary>
/// A path below an artifact's root: relative, '/'-separated, UTF-8, that cannot leave the root by its text.
/// Ordered ordinally, so that a manifest has one canonical order.
/// </summary>
public readonly record struct ArtifactPath : IComparable<ArtifactPath>
{
    /// <summary>Longest segment, in UTF-8 bytes (NAME_MAX of Linux file systems).</summary>
    public const int MaxSegmentBytes = 255;

    /// <summary>Longest path, in UTF-8 bytes (PATH_MAX with room for the root).</summary>
    public const int MaxPathBytes = 3072;

    private readonly string? _value;

    private ArtifactPath(string value) => _value = value;

    /// <summary>The text, e.g. <c>text_encoder/model-00001-of-00002.safetensors</c>.</summary>
    public string Value => _value ?? throw new InvalidOperationException("An ArtifactPath comes from Parse or TryParse.");

    /// <summary>The last segment.</summary>
    public string Name => Value[(Value.LastIndexOf('/') + 1)..];

    public static ArtifactPath Parse(string text) =>
        TryParse(text, out var path, out var refusal) ? path : throw new FormatException($"'{text}' is not an artifact path: {refusal}");

    /// <summary>Accepts only text that names something below the root on any platform; says why not otherwise.</summary>
    public static bool TryParse(string? text, out ArtifactPath path, [NotNullWhen(false)] out string? refusal)
    {
        path = default;
        refusal = Refuse(text);
        if (refusal is not null) return false;
        path = new ArtifactPath(text!);
        return true;
    }

    public int CompareTo(ArtifactPath other) => string.CompareOrdinal(Value, other.Value);

    public override string ToString() => _value ?? "";

    public static bool operator <(ArtifactPath left, ArtifactPath right) => left.CompareTo(right) < 0;
    public static bool operator >(ArtifactPath left, ArtifactPath right) => left.CompareTo(right) > 0;
    public static bool operator <=(ArtifactPath left, ArtifactPath right) => left.CompareTo(right) <= 0;
    public static bool operator >=(ArtifactPath left, ArtifactPath right) => left.CompareTo(right) >= 0;

    private static string? Refuse(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "it is empty";
        if (text[0] == '/') return "it is absolute";
        if (text.Length > MaxPathBytes || Encoding.UTF8.GetByteCount(text) > MaxPathBytes) return $"it is longer than {MaxPathBytes} bytes";
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value < 0x20 || rune.Value == 0x7f) return "it holds a control character";
            if (rune == Rune.ReplacementChar) return "it is not valid UTF-8";
            if (rune.Value == '\\') return "it holds a backslash";
            if (rune.Value is >= 0x202a and <= 0x202e or >= 0x2066 and <= 0x2069) return "it holds a bidirectional control character";
        }

        if (text.Length >= 2 && text[1] == ':' && char.IsAsciiLetter(text[0])) return "it begins with a drive letter";
        foreach (var range in text.AsSpan().Split('/'))
        {
            var segment = text.AsSpan(range);
            if (segment.IsEmpty) return "it has an empty segment";
            if (segment is "." or "..") return $"it has a segment '{segment}'";
            if (Encoding.UTF8.GetByteCount(segment) > MaxSegmentBytes) return $"a segment is longer than {MaxSegmentBytes} bytes";
        }

        return null;
    }
}
