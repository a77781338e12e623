using System.Diagnostics.CodeAnalysis;

namespace Ome.Shared.Domain.Models;

/// <summary>
/// Where a model's files lie on the node (contract 4.7), confined: the result lies strictly under the models root, or is refused (W19). Pure path
/// math on absolute Linux paths; links on disk are the stager's to check.
/// </summary>
/// <param name="ModelsRoot">Absolute directory of all models.</param>
/// <param name="LocalRoots">Further directories <c>local://</c> models may lie under; they are only read.</param>
public sealed record DestinationRule(string ModelsRoot, IReadOnlyList<string>? LocalRoots = null)
{
    /// <summary>Name under the models root that belongs to us: manifests, ledgers, staging.</summary>
    public const string StateDirectory = ".ome";

    private const int MaxPathLength = 4095;
    private const int MaxSegmentLength = 255;

    /// <summary>Resolves the destination of a model.</summary>
    /// <param name="uri">The parsed source.</param>
    /// <param name="specPath"><c>spec.storage.path</c>; null when absent, which differs from empty.</param>
    /// <param name="destination">Normalised absolute path, or null.</param>
    /// <param name="refusal">Names the field, the value and the remedy, or null.</param>
    public bool TryResolve(
        StorageUri uri, string? specPath, [NotNullWhen(true)] out string? destination, [NotNullWhen(false)] out string? refusal)
    {
        var local = uri as StorageUri.Local;
        destination = null;
        if (specPath is null && local is null)
        {
            refusal = Missing(ModelsRoot);
            return false;
        }

        // OME puts a model with an empty path under the whole URI text, scheme included.
        var wanted = Wanted(uri, specPath) ?? ModelsRoot + "/" + uri.Text;
        var roots = local is null || LocalRoots is null ? [ModelsRoot] : (IReadOnlyList<string>)[ModelsRoot, .. LocalRoots];
        var path = Confine(wanted, roots, out var reason);
        refusal = path is null ? Refused(wanted, reason, ModelsRoot) : null;
        destination = path;
        return path is not null;
    }

    /// <summary>What no models root could make right: names the field, the value and the remedy; null when some node may have the root for it.</summary>
    public static string? ProblemAnywhere(StorageUri uri, string? specPath)
    {
        const string Root = "the models root of its nodes";
        // A claim is mounted by its pod and a vendor's model has no files: their path is not ours.
        if (uri is StorageUri.PersistentVolumeClaim or StorageUri.Vendor) return null;
        if (specPath is null && uri is not StorageUri.Local) return Missing(Root);
        if (Wanted(uri, specPath) is not { } wanted) return null;
        return Normalize(wanted, out var reason) switch
        {
            null => Refused(wanted, reason, Root),
            "/" => Refused(wanted, "is the root of the file system", Root),
            _ => null,
        };
    }

    /// <summary>Whether one path equals the other or lies under it. Both normalised.</summary>
    public static bool Overlap(string one, string other) => IsSameOrUnder(one, other) || IsSameOrUnder(other, one);

    /// <summary>Removes <c>.</c>, empty and trailing segments; null when the path is not absolute, climbs with <c>..</c>, or is no Linux path.</summary>
    public static string? Normalize(string path, out string reason)
    {
        reason = string.Empty;
        if (path.Length == 0 || path[0] != '/') reason = "is not an absolute path";
        else if (path.Length > MaxPathLength) reason = $"is longer than {MaxPathLength} characters";
        else if (path.AsSpan().ContainsAnyInRange('\0', '\x1f')) reason = "holds a control character";
        if (reason.Length > 0) return null;

        var segments = new List<string>();
        foreach (var segment in path.Split('/'))
        {
            if (segment is "" or ".") continue;
            if (segment == "..") reason = "climbs out with '..'";
            else if (System.Text.Encoding.UTF8.GetByteCount(segment) > MaxSegmentLength) reason = $"has a segment longer than {MaxSegmentLength} bytes";
            if (reason.Length > 0) return null;
            segments.Add(segment);
        }

        return "/" + string.Join('/', segments);
    }

    private static string? Confine(string wanted, IReadOnlyList<string> roots, out string reason)
    {
        if (Normalize(wanted, out reason) is not { } path) return null;
        foreach (var configured in roots)
        {
            if (Normalize(configured, out _) is not { } root || root == "/" || path == root || !IsSameOrUnder(path, root)) continue;
            if (!IsSameOrUnder(path, root + "/" + StateDirectory)) return path;
            reason = $"lies in {StateDirectory}, which Ome keeps for itself";
            return null;
        }

        reason = roots.Any(root => Normalize(root, out _) == path) ? "is the models root itself" : "lies outside the models root";
        return null;
    }

    private static bool IsSameOrUnder(string path, string root) =>
        path.StartsWith(root, StringComparison.Ordinal) && (path.Length == root.Length || path[root.Length] == '/');

    // The path an author asks for; null leaves it to the models root.
    private static string? Wanted(StorageUri uri, string? specPath) => !string.IsNullOrEmpty(specPath) ? specPath : (uri as StorageUri.Local)?.Path;

    private static string Missing(string root) => $"spec.storage.path is missing: set it to a directory under {root}";

    private static string Refused(string wanted, string reason, string root) => $"spec.storage.path '{Shown(wanted)}' {reason}: set it to a directory under {root}";

    private static string Shown(string text) => text.Length <= 256 ? text : string.Concat(text.AsSpan(0, 256), "...");
}
