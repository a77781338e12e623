namespace Ome.Shared.Domain.Manifests;

/// <summary>What lies beside an artifact without being part of it: our own state, a download client's notes and unfinished files, version control.</summary>
public static class BesideArtifact
{
    /// <summary>True for such a path; for a directory, written with a slash at its end, when that holds of everything below it.</summary>
    public static bool Contains(string path) =>
        path.StartsWith(".ome/", StringComparison.Ordinal) || path.StartsWith(".cache/", StringComparison.Ordinal) || path.StartsWith(".git/", StringComparison.Ordinal)
        || path.EndsWith(".lock", StringComparison.Ordinal) || IsUnfinished(path);

    /// <summary>True for a file that a download client still fills.</summary>
    public static bool IsUnfinished(string path) => path.EndsWith(".incomplete", StringComparison.Ordinal);
}
