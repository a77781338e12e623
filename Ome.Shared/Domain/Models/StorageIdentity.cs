namespace Ome.Shared.Domain.Models;

/// <summary>
/// Which files a report is about: source and directory. A report whose identity differs from the spec's is stale: it says nothing of the model as
/// it is wanted now (design 6).
/// </summary>
/// <param name="Uri"><c>spec.storage.storageUri</c> as written.</param>
/// <param name="Path"><c>spec.storage.path</c>; null or empty when the node decides.</param>
public readonly record struct StorageIdentity(string Uri, string? Path)
{
    /// <summary>The identity a spec asks for.</summary>
    public static StorageIdentity Of(ModelSpec spec) => new(spec.StorageUri, spec.StoragePath);

    /// <summary>Whether a report with these members may be about these files. What a report leaves out is not held against it: OME's agents leave out both.</summary>
    public bool Matches(string? reportedUri, string? reportedPath) =>
        (string.IsNullOrEmpty(reportedUri) || reportedUri == Uri)
        && (string.IsNullOrEmpty(reportedPath) || string.IsNullOrEmpty(Path) || reportedPath == Path || SamePath(reportedPath, Path));

    private static bool SamePath(string one, string other) =>
        DestinationRule.Normalize(one, out _) is { } left && DestinationRule.Normalize(other, out _) is { } right && left == right;
}
