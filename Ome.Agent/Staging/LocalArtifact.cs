using System.Collections.Immutable;
using Ome.Agent.Files;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Staging;

/// <summary>
/// <c>local://</c>: files that lie on the node already. Never copied, moved or deleted: they are listed and stamped; their content is hashed later, in the background
/// (<see cref="ManifestEntry.Sha256"/> null until then).
/// </summary>
internal sealed class LocalArtifact(StagingDisk disk, StagingLayout layout)
{
    /// <summary>A manifest of what is there. Entries of a former manifest whose file did not change keep what was proven of them.</summary>
    public Task<StagingResult> AdoptAsync(StagingRequest request, ArtifactManifest? known, DateTimeOffset now, CancellationToken cancellationToken) =>
        Task.Run(() => Adopt(request, known, now, cancellationToken), cancellationToken);

    private StagingResult Adopt(StagingRequest request, ArtifactManifest? known, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var root = request.Destination;
        if (!Directory.Exists(root)) return Failed(StagingFailureReason.NotFound, $"local:// names '{root}', which is no directory on this node");
        var former = (known?.Entries ?? []).ToDictionary(entry => entry.Path);
        var entries = new List<ManifestEntry>();
        foreach (var file in Walk(root, cancellationToken))
        {
            var name = Path.GetRelativePath(root, file);
            if (!ArtifactPath.TryParse(name, out var path, out var refusal)) return Failed(StagingFailureReason.ListingInvalid, $"'{name}' cannot be part of a model: {refusal}");
            if (entries.Count == ArtifactListing.MaxFiles) return Failed(StagingFailureReason.ListingInvalid, $"'{root}' holds more than {ArtifactListing.MaxFiles} files");
            if (Entry(file, path, former.GetValueOrDefault(path), out var problem) is { } entry) entries.Add(entry);
            else if (problem is not null) return Failed(StagingFailureReason.ListingInvalid, problem, path);
        }

        if (entries.Count == 0) return Failed(StagingFailureReason.NotFound, $"local:// names '{root}', which holds no file");
        var identity = new SourceIdentity(request.Uri.Text, root, null);
        var manifest = new ArtifactManifest(identity, ManifestTrust.Local, now, entries);
        var same = known is not null && known.Source.SameSpec(identity) && known.Entries.SequenceEqual(manifest.Entries);
        return new StagingResult.Staged(same ? known! : manifest, new StagingTally(0, manifest.TotalBytes, 0));
    }

    private static IEnumerable<string> Walk(string root, CancellationToken cancellationToken)
    {
        var options = new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false, RecurseSubdirectories = false };
        var waiting = new Stack<string>([root]);
        while (waiting.TryPop(out var directory))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var entry in new DirectoryInfo(directory).EnumerateFileSystemInfos("*", options))
            {
                if (entry.LinkTarget is null && entry is DirectoryInfo) waiting.Push(entry.FullName);
                else yield return entry.FullName;
            }
        }
    }

    private ManifestEntry? Entry(string file, ArtifactPath path, ManifestEntry? former, out string? problem)
    {
        problem = null;
        string? link = null;
        var target = file;
        if (disk.Look(file) is not var (type, stamp, _)) return null;
        if (type == FileType.Link)
        {
            // The hub's cache lays files out as links into ../../blobs: fine below the models root, not out of it.
            var info = new FileInfo(file);
            link = info.LinkTarget;
            target = info.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? file;
            if (!target.StartsWith(layout.ModelsRoot + "/", StringComparison.Ordinal)) problem = $"is a link to '{link}', which leads out of {layout.ModelsRoot}";
            else if (disk.Look(target) is not var (targetType, targetStamp, _)) problem = $"is a link to '{link}', which does not exist";
            else (type, stamp) = (targetType, targetStamp);
        }

        if (problem is null && type != FileType.Regular) problem = $"is neither a file nor a directory ({type})";
        if (problem is not null) return null;
        return former is not null && former.LinkTarget == link && (former.Stamp with { Blocks = 0 }) == (stamp with { Blocks = 0 })
            ? former
            : new ManifestEntry(path, stamp, link, null, [], [], []);
    }

    private static StagingResult.Failed Failed(StagingFailureReason reason, string message, ArtifactPath? path = null) => new(new StagingFailure(reason, message, Path: path));
}
