using System.Collections.Immutable;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification;

/// <summary>One artifact to be checked. The ledger is changed by the check; no two checks share one at a time.</summary>
/// <param name="Root">Absolute directory of its files.</param>
/// <param name="Boundary">Absolute directory at or above <paramref name="Root"/> that links must not leave: the models root, a Hugging Face cache. Null = the root.</param>
/// <param name="Ledger">What is proven, of which manifest.</param>
/// <param name="Seed">Of this model on this node, <see cref="FleetSpread.Seed"/>.</param>
public sealed record CheckSubject(string Root, string? Boundary, VerificationLedger Ledger, ulong Seed);

/// <summary>How far one check goes.</summary>
public sealed record CheckRequest
{
    public required VerificationPolicy Policy { get; init; }

    public required CheckScope Scope { get; init; }

    /// <summary>Most bytes of content beside suspects; null = what the policy's budget allows in an interval.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>Ends the check once damage is confirmed: what it means for readiness must not wait for the rest of a long pass.</summary>
    public bool StopAtDamage { get; init; }

    /// <summary>Saves the ledger; called after every checkpoint interval and at the end, never twice at once. Exceptions end the check.</summary>
    public Action<VerificationLedger>? Checkpoint { get; init; }

    /// <summary>Told often, from any thread; must not block.</summary>
    public Action<CheckProgress>? Progress { get; init; }

    /// <summary>Told each finding when it is made, one at a time, in no order; the verdict has them all again.</summary>
    public Action<FileFinding>? Found { get; init; }
}

/// <summary>How far a check is.</summary>
/// <param name="FilesDone">Files whose stamp was looked at.</param>
/// <param name="FilesTotal">Files of the manifest.</param>
/// <param name="BytesDone">Content compared.</param>
/// <param name="BytesPlanned">Content to compare; grows when something must be read again.</param>
/// <param name="Findings">Confirmed so far.</param>
public sealed record CheckProgress(int FilesDone, int FilesTotal, long BytesDone, long BytesPlanned, int Findings);

/// <summary>A damaged file and, where chunks were compared, which of them are bad: what a repair needs.</summary>
public sealed record DamagedFile(FileFinding Finding, ImmutableArray<int> Chunks);

/// <summary>What one check found.</summary>
/// <param name="Verdict">The judgement.</param>
/// <param name="Mode">Deep when the check compared content as planned; Basic when it only looked.</param>
/// <param name="FilesChecked">Files looked at.</param>
/// <param name="BytesChecked">Bytes of content compared.</param>
/// <param name="BytesDeferred">Bytes that were due but beyond this check's budget.</param>
/// <param name="Route">How content was read; null when none was.</param>
/// <param name="Flickers">Doubts that a second look cleared: faults of memory, cache or medium that come and go.</param>
/// <param name="Damaged">All damage, with chunks.</param>
/// <param name="OldestProof">After the check; null when the manifest lists nothing.</param>
/// <param name="FullPassEnded">True when this check completed a pass over all content; a check that stopped at damage did not.</param>
/// <param name="StartedAt">Wall-clock time.</param>
/// <param name="Duration">Monotonic.</param>
public sealed record CheckReport(
    Verdict Verdict,
    CheckMode Mode,
    int FilesChecked,
    long BytesChecked,
    long BytesDeferred,
    ReadRoute? Route,
    int Flickers,
    ImmutableArray<DamagedFile> Damaged,
    DateTimeOffset? OldestProof,
    bool FullPassEnded,
    DateTimeOffset StartedAt,
    TimeSpan Duration);
