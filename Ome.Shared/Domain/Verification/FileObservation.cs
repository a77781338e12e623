using System.Collections.Immutable;
using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Verification;

/// <summary>What one look at one path saw. A closed set: facts only, no judgement.</summary>
public abstract record FileObservation
{
    private FileObservation()
    {
    }

    /// <summary>Nothing has that name (ENOENT, ENOTDIR) although its root is there.</summary>
    public sealed record Missing : FileObservation;

    /// <summary>Something that is neither a regular file nor a link to one: a directory, FIFO, socket, device. Never opened.</summary>
    public sealed record WrongType(string Type) : FileObservation;

    /// <summary>A link that dangles, leaves the root, loops, or names another target than recorded.</summary>
    public sealed record BadLink(string? Target, string Problem) : FileObservation;

    /// <summary>It could not be looked at; <paramref name="Cause"/> tells whether that says something about the medium.</summary>
    public sealed record Unreadable(UnreadableCause Cause, string Errno, long? Offset = null) : FileObservation;

    /// <summary>Its stamp before and after the read differ.</summary>
    public sealed record ChangedMeanwhile : FileObservation;

    /// <summary>It is there. Digests are null or empty where only its stamp was asked for.</summary>
    /// <param name="Stamp">Of the file that was (or would be) read.</param>
    /// <param name="LinkTarget">Text of the link, null for a regular file.</param>
    /// <param name="Sha256">Of the whole content, when it was read whole.</param>
    /// <param name="Upstream">Other digests that were asked for, of the whole content.</param>
    /// <param name="Chunks">XXH128 by chunk index, for the chunks that were read.</param>
    /// <param name="Route">How the bytes were read; null when none were.</param>
    public sealed record Present(
        FileStamp Stamp,
        string? LinkTarget,
        ContentDigest? Sha256,
        ImmutableArray<ContentDigest> Upstream,
        ImmutableSortedDictionary<int, UInt128> Chunks,
        ReadRoute? Route) : FileObservation;
}

/// <summary>Why a file could not be looked at.</summary>
public enum UnreadableCause
{
    /// <summary>EIO, EUCLEAN, ENODATA…: the medium or the file system says the data is bad.</summary>
    Medium,

    /// <summary>EACCES, EPERM.</summary>
    Permission,

    /// <summary>No answer within the time a read may take: a hung mount.</summary>
    TimedOut,

    /// <summary>ESTALE, ENOMEM, EMFILE, EINTR…: this look failed, the next may not.</summary>
    Transient,

    /// <summary>The root itself is gone or another file system is mounted there.</summary>
    RootUnavailable,

    /// <summary>The check was cancelled.</summary>
    Cancelled,
}
