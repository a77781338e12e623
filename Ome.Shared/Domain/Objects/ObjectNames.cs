using System.Diagnostics.CodeAnalysis;
using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Objects;

/// <summary>From names in a bucket to paths below a model's directory (contract 4.10, 5.2).</summary>
public static class ObjectNames
{
    /// <summary>The prefix to list: ends with a slash, so that <c>models/a</c> never takes <c>models/ab</c>; empty for the whole bucket.</summary>
    /// <remarks>Upstream turns an empty prefix into <c>/</c>, which matches no object people make; the whole bucket is what they mean.</remarks>
    public static string ListPrefix(string prefix) => prefix.Trim('/') is { Length: > 0 } inner ? inner + "/" : "";

    /// <summary>True for the empty object a console puts where it shows a folder (W27).</summary>
    public static bool IsFolderMarker(string name, long size) => name.EndsWith('/') && size == 0;

    /// <summary>True when a filter lets the object through; null lets all through.</summary>
    public static bool Passes(string name, string? requiredPart) => requiredPart is null || name.Contains(requiredPart, StringComparison.Ordinal);

    /// <summary>The path of an object below the destination: its name without the prefix.</summary>
    public static bool TryMap(string name, string listPrefix, out ArtifactPath path, [NotNullWhen(false)] out string? refusal)
    {
        var relative = name.StartsWith(listPrefix, StringComparison.Ordinal) ? name[listPrefix.Length..] : name;
        return ArtifactPath.TryParse(relative, out path, out refusal);
    }
}
