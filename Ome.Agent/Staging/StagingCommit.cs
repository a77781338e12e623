using System.Collections.Immutable;
using Ome.Agent.Files;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Staging;

/// <summary>
/// The last step: proven files move to their final names, each by one rename; files of the former manifest that the source no longer lists go. Cut anywhere, it
/// is done again from the notes. Takes no token: it is short and must not be cut without need.
/// </summary>
internal sealed class StagingCommit(StagingDisk disk, StagingRecord record, SourceIdentity identity, DateTimeOffset now)
{
    /// <summary>Moves the files to <paramref name="destination"/>: where the artifact lies, or will lie by one more rename.</summary>
    public ArtifactManifest Commit(string destination, ImmutableArray<ProvenFile> files, ArtifactManifest? former)
    {
        var touched = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < files.Length; i++)
        {
            var final = StagingLayout.FileOf(destination, files[i].File.Path);
            if (disk.Look(final) is (FileType.Regular, var stamp, _) && files[i].IsAt(stamp)) continue;
            MakeParents(destination, files[i].File.Path);
            if (disk.Look(final) is (FileType.Directory, _, _)) Directory.Delete(final, recursive: true);
            disk.Rename(record.PartPath(i), final);
            touched.Add(Path.GetDirectoryName(final)!);
        }

        var listed = files.Select(file => file.File.Path).ToHashSet();
        foreach (var gone in former?.Entries.Where(entry => !listed.Contains(entry.Path)) ?? []) Remove(destination, gone.Path);
        foreach (var directory in touched) disk.FlushDirectory(directory);
        disk.FlushDirectory(Path.GetDirectoryName(destination)!);
        var trust = files.All(file => !file.File.Digests.IsEmpty) ? ManifestTrust.Upstream : ManifestTrust.Local;
        return new ArtifactManifest(identity, trust, now, files.Select(file => EntryOf(destination, file)));
    }

    private ManifestEntry EntryOf(string destination, ProvenFile file)
    {
        var path = StagingLayout.FileOf(destination, file.File.Path);
        if (disk.Look(path) is not (FileType.Regular, var stamp, _) || !file.IsAt(stamp)) throw new IOException($"'{file.File.Path}' changed while it was put in place");
        return new ManifestEntry(file.File.Path, stamp, null, file.Sha256, file.File.Digests, file.Chunks, []);
    }

    /// <summary>
    /// Removes a file that is no longer listed. Its name may be nobody's meanwhile, or a directory of files that are listed; and what lies behind a link or a
    /// file in place of one of its directories never was the file.
    /// </summary>
    private void Remove(string destination, ArtifactPath path)
    {
        var segments = path.Value.Split('/');
        var current = destination;
        for (var i = 0; i < segments.Length - 1; i++)
        {
            current += "/" + segments[i];
            if (disk.Look(current) is not (FileType.Directory, _, _)) return;
        }

        var file = StagingLayout.FileOf(destination, path);
        if (disk.Look(file) is (FileType.Regular or FileType.Link, _, _)) File.Delete(file);
    }

    /// <summary>Makes the directories of a file; a link or file in their place belongs to the artifact's own directory and gives way.</summary>
    private void MakeParents(string destination, ArtifactPath path)
    {
        var segments = path.Value.Split('/');
        var current = destination;
        for (var i = 0; i < segments.Length - 1; i++)
        {
            current += "/" + segments[i];
            var there = disk.Look(current);
            if (there is (FileType.Directory, _, _)) continue;
            if (there is not null) File.Delete(current);
            Directory.CreateDirectory(current);
        }
    }
}
