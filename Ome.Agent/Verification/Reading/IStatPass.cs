using Ome.Agent.Files;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification.Reading;

/// <summary>One thing found below a root that is not a directory.</summary>
/// <param name="Path">'/'-separated path below the root, as UTF-8 text; a name that is no UTF-8 has U+FFFD in it.</param>
/// <param name="ArtifactPath">The same as a checked value; null when the name could not stand in a manifest.</param>
/// <param name="Type">Of the name itself: a link is a link.</param>
/// <param name="Stamp">Of the name itself.</param>
/// <param name="Links">Number of hard links.</param>
public readonly record struct TreeEntry(string Path, ArtifactPath? ArtifactPath, FileType Type, FileStamp Stamp, uint Links);

/// <summary>What a pass over named files saw of one. A plain file, as nearly all are, makes no object.</summary>
/// <param name="Stamp">Of a regular file that is no link; meaningless where there is something else.</param>
/// <param name="Other">Everything else there may be; null for a regular file that is no link.</param>
public readonly record struct FileSeen(FileStamp Stamp, FileObservation? Other)
{
    /// <summary>The same as <see cref="IFileProbe.Stat"/> says it.</summary>
    public FileObservation Observation => Other ?? FileLook.Present(Stamp, null);
}

/// <summary>How a pass over a tree ended.</summary>
/// <param name="Entries">Entries visited.</param>
/// <param name="Failure">Null when the pass is complete; else what stopped it.</param>
public sealed record StatPassEnd(long Entries, FileObservation.Unreadable? Failure);

/// <summary>Stats many files cheaply: one call per file, through handles of their directories, in bounded memory.</summary>
public interface IStatPass
{
    /// <summary>
    /// Visits everything below the root, directory by directory, in the order the file system gives. Links are reported, never followed.
    /// A directory that cannot be read stops the pass: half a listing must not look like a whole one. One that vanishes meanwhile does not.
    /// </summary>
    /// <param name="root">Where.</param>
    /// <param name="visit">Called on the engine's thread, one call at a time; must not block.</param>
    /// <param name="cancellationToken">Ends the pass with cause Cancelled.</param>
    Task<StatPassEnd> ScanAsync(ArtifactRoot root, Action<TreeEntry> visit, CancellationToken cancellationToken);

    /// <summary>Looks at each named file, as <see cref="IFileProbe.Stat"/> would; fastest when neighbours in a directory are neighbours in the list.</summary>
    /// <param name="root">Where.</param>
    /// <param name="paths">Which; a manifest's order is right.</param>
    /// <param name="visit">Called with the path's index on the engine's thread, one call at a time; must not block.</param>
    /// <param name="cancellationToken">Ends the pass with cause Cancelled.</param>
    Task<StatPassEnd> StatAsync(ArtifactRoot root, IReadOnlyList<ArtifactPath> paths, Action<int, FileSeen> visit, CancellationToken cancellationToken);
}
