using System.Collections.Immutable;
using Ome.Agent.Files;
using Ome.Agent.Verification.Reading.Linux;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification.Reading;

/// <summary>Turns what the kernel said of a path into an observation.</summary>
internal static class FileLook
{
    /// <summary>The file's stamp; nothing is opened for reading.</summary>
    public static FileObservation Stat(ISystemCalls calls, ArtifactRoot root, ArtifactPath path)
    {
        var end = PathResolver.ResolveBelow(calls, root, path.Value);
        if (end.Kind == ResolutionKind.Found) calls.Close(end.Descriptor);
        return Refusal(calls, root, end) ?? Present(end.Stat.Stamp, end.LinkText);
    }

    /// <summary>What keeps the end of a path from being read; null when it is a regular file.</summary>
    public static FileObservation? Refusal(ISystemCalls calls, ArtifactRoot root, in Resolution end) => end.Kind switch
    {
        ResolutionKind.Found when end.Stat.Type == FileType.Regular => null,
        ResolutionKind.Found => new FileObservation.WrongType(FileStat.NameOf(end.Stat.Type)),
        ResolutionKind.Missing => IfRootStands(calls, root, new FileObservation.Missing()),
        ResolutionKind.BadLink => IfRootStands(calls, root, new FileObservation.BadLink(end.LinkText, end.Problem ?? "it could not be followed")),
        _ => Unreadable(calls, root, end.Error, null),
    };

    public static FileObservation Unreadable(ISystemCalls calls, ArtifactRoot root, int errno, long? offset)
    {
        var seen = new FileObservation.Unreadable(Errno.CauseOf(errno), Errno.NameOf(errno), offset);
        return seen.Cause == UnreadableCause.Medium ? IfRootStands(calls, root, seen) : seen;
    }

    public static FileObservation.Present Present(FileStamp stamp, string? linkText) =>
        new(stamp, linkText, null, [], ImmutableSortedDictionary<int, UInt128>.Empty, null);

    /// <summary>When the root itself is gone, or another file system lies over it, what was seen below says nothing about the file.</summary>
    private static FileObservation IfRootStands(ISystemCalls calls, ArtifactRoot root, FileObservation seen) =>
        root.IsStillThere(calls) ? seen : new FileObservation.Unreadable(UnreadableCause.RootUnavailable, "ESTALE");
}
