using System.Diagnostics.CodeAnalysis;
using Ome.Agent.Files;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Staging;

/// <summary>The files of a local model as they lie on the node at one moment: names, stamps and links, no content.</summary>
internal sealed class LocalListing
{
    private readonly Dictionary<string, FileStamp> _stamps = new(StringComparer.Ordinal);
    private readonly List<ManifestEntry> _entries = [];

    private LocalListing()
    {
    }

    /// <summary>What is part of the model, without digests.</summary>
    public IReadOnlyList<ManifestEntry> Entries => _entries;

    public long TotalBytes => _entries.Sum(entry => entry.Size);

    /// <summary>Time of the latest write as the files say, in nanoseconds since the Unix epoch.</summary>
    public long NewestNs => _stamps.Values.Select(stamp => stamp.MtimeNs).DefaultIfEmpty().Max();

    public static bool TryTake(
        string root, StagingDisk disk, StagingLayout layout, CancellationToken cancellationToken, [NotNullWhen(true)] out LocalListing? listing, [NotNullWhen(false)] out StagingFailure? failure)
    {
        listing = null;
        var taken = new LocalListing();
        failure = Directory.Exists(root)
            ? taken.Fill(root, disk, layout, cancellationToken)
            : new StagingFailure(StagingFailureReason.NotFound, $"local:// names '{root}', which is no directory on this node");
        if (failure is not null) return false;
        listing = taken;
        return true;
    }

    /// <summary>A file that came, went or changed since an earlier listing; null when none did. Files that are still being downloaded count, too.</summary>
    public string? ChangeSince(LocalListing earlier) =>
        _stamps.FirstOrDefault(file => !earlier._stamps.TryGetValue(file.Key, out var stamp) || stamp != file.Value).Key
        ?? earlier._stamps.Keys.FirstOrDefault(name => !_stamps.ContainsKey(name));

    private StagingFailure? Fill(string root, StagingDisk disk, StagingLayout layout, CancellationToken cancellationToken)
    {
        foreach (var file in Walk(root, cancellationToken))
        {
            var name = Path.GetRelativePath(root, file);
            if (BesideArtifact.Contains(name))
            {
                if (BesideArtifact.IsUnfinished(name) && disk.Look(file) is (_, var growing, _)) _stamps[name] = Comparable(growing);
                continue;
            }

            if (!ArtifactPath.TryParse(name, out var path, out var refusal)) return Invalid($"'{name}' cannot be part of a model: {refusal}");
            if (_entries.Count == ArtifactListing.MaxFiles) return Invalid($"'{root}' holds more than {ArtifactListing.MaxFiles} files");
            if (Entry(file, path, disk, layout, out var problem) is { } entry)
            {
                _entries.Add(entry);
                _stamps[name] = Comparable(entry.Stamp);
            }
            else if (problem is not null)
            {
                return Invalid(problem, path);
            }
        }

        return _stamps.Count == 0 ? new StagingFailure(StagingFailureReason.NotFound, $"local:// names '{root}', which holds no file") : null;
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
                if (entry.LinkTarget is not null || entry is not DirectoryInfo) yield return entry.FullName;
                else if (IsEntered(Path.GetRelativePath(root, entry.FullName) + "/")) waiting.Push(entry.FullName);
            }
        }
    }

    /// <summary>A download client's notes are no part of the model, but they say that it is not finished.</summary>
    private static bool IsEntered(string directory) => !BesideArtifact.Contains(directory) || directory.StartsWith(".cache/", StringComparison.Ordinal);

    private static ManifestEntry? Entry(string file, ArtifactPath path, StagingDisk disk, StagingLayout layout, out string? problem)
    {
        problem = null;
        string? link = null;
        if (disk.Look(file) is not var (type, stamp, _)) return null;
        if (type == FileType.Link)
        {
            // The hub's cache lays files out as links into ../../blobs: fine below the models root, not out of it.
            var info = new FileInfo(file);
            link = info.LinkTarget;
            var target = info.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? file;
            if (!target.StartsWith(layout.ModelsRoot + "/", StringComparison.Ordinal)) problem = $"is a link to '{link}', which leads out of {layout.ModelsRoot}";
            else if (disk.Look(target) is not var (targetType, targetStamp, _)) problem = $"is a link to '{link}', which does not exist";
            else (type, stamp) = (targetType, targetStamp);
        }

        if (problem is null && type != FileType.Regular) problem = $"is neither a file nor a directory ({type})";
        return problem is null ? new ManifestEntry(path, stamp, link, null, [], [], []) : null;
    }

    /// <summary>Blocks are given out when the kernel writes back, long after the write.</summary>
    private static FileStamp Comparable(FileStamp stamp) => stamp with { Blocks = 0 };

    private static StagingFailure Invalid(string message, ArtifactPath? path = null) => new(StagingFailureReason.ListingInvalid, message, Path: path);
}
