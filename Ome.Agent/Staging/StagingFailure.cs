using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Staging;

/// <summary>Why staging did not end with a proven artifact. A closed set; the name is what metrics and entries show.</summary>
public enum StagingFailureReason
{
    /// <summary>The source did not answer, answered 5xx, or kept cutting connections without giving a byte.</summary>
    SourceUnavailable,

    /// <summary>No credentials, or the source refuses them.</summary>
    Unauthorized,

    /// <summary>The credentials are good, but its owner has not granted access to this artifact.</summary>
    Gated,

    /// <summary>No such repository, revision, bucket, prefix or object.</summary>
    NotFound,

    /// <summary>The source asks to come back later: <see cref="StagingFailure.RetryAfter"/>.</summary>
    RateLimited,

    /// <summary>The source's listing cannot be true or cannot be placed: paths that leave the root, a file that is also a directory.</summary>
    ListingInvalid,

    /// <summary>The artifact changed under its pinned listing; the next try lists anew.</summary>
    SourceChanged,

    /// <summary>Bytes that do not match what the source itself publishes, twice.</summary>
    WrongBytes,

    /// <summary>Not enough room, by the check before or by the file system itself.</summary>
    DiskFull,

    /// <summary>The disk, not its room: an I/O error, a read-only file system, no permission.</summary>
    DiskError,

    /// <summary>The destination is not ours to write: outside the models root, through a link, overlapping another artifact.</summary>
    PathRefused,

    /// <summary>This scheme, or this use of it, is not served by the agent.</summary>
    Refused,
}

/// <summary>A staging that failed, as a value. Holds no secret: messages are made from ids, paths and status codes, never from signed URLs or headers.</summary>
/// <param name="Reason">Of the closed set.</param>
/// <param name="Message">For people: names the field or file, what was found, and the remedy.</param>
/// <param name="RetryAfter">Earliest useful next try as the source said; null when it said nothing.</param>
/// <param name="Path">The file it is about; null for the whole artifact.</param>
public sealed record StagingFailure(StagingFailureReason Reason, string Message, TimeSpan? RetryAfter = null, ArtifactPath? Path = null)
{
    /// <summary>False when only a change of the model or its credentials can help; such a model is not tried again on a timer alone.</summary>
    public bool MayPass => Reason is not (StagingFailureReason.Refused or StagingFailureReason.PathRefused);

    /// <summary>True when the model stays Updating with a reason instead of turning Failed (contract P24).</summary>
    public bool StaysUpdating => Reason == StagingFailureReason.RateLimited;

    /// <inheritdoc/>
    public override string ToString() => Path is { } path ? $"{Reason}: {path}: {Message}" : $"{Reason}: {Message}";
}
