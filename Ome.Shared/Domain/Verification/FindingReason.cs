namespace Ome.Shared.Domain.Verification;

/// <summary>
/// Why a file or a check is not simply intact. A closed set, CamelCase on the wire (entry <c>validation.reason</c>,
/// ModelIntegrityCheck <c>status.reason</c>, metrics).
/// </summary>
public enum FindingReason
{
    FileMissing,
    SizeMismatch,
    DigestMismatch,
    StructureInvalid,
    IndexIncomplete,
    LinkInvalid,
    UnexpectedType,

    /// <summary>The medium returned an error for the file, again and again.</summary>
    ReadError,

    RootUnavailable,
    PermissionDenied,
    ManifestMissing,
    ManifestInvalid,
    SourceChanged,
    ChangedDuringCheck,
    SourceUnavailable,
    TimedOut,
    Cancelled,
}

public static class FindingReasons
{
    /// <summary>
    /// True for proved damage: the only reasons that, once confirmed by a second look, may withdraw readiness.
    /// Everything else means "could not verify" and never does.
    /// </summary>
    public static bool IsDamage(this FindingReason reason) => reason <= FindingReason.ReadError;
}
