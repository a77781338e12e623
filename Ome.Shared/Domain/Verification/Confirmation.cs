using System.Collections.Immutable;
using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Verification;

/// <summary>What became of a doubt after the second look.</summary>
/// <param name="Finding">What is reported; null when the second look cleared the file.</param>
/// <param name="Chunks">Chunks that differ, of a digest mismatch.</param>
/// <param name="Flicker">True when the two looks disagreed: a transient fault of memory, cache or medium worth counting.</param>
public sealed record Confirmation(FileFinding? Finding, ImmutableArray<int> Chunks, bool Flicker)
{
    /// <summary>Passes in a row that must see a file bad before it counts although it keeps changing under our eyes.</summary>
    public const int PatienceWithChange = 3;

    /// <summary>Judges the two looks together.</summary>
    /// <param name="entry">What the file should be.</param>
    /// <param name="first">The doubt.</param>
    /// <param name="firstSeen">What raised it.</param>
    /// <param name="second">The second judgement, after the look that <paramref name="first"/> asked for.</param>
    /// <param name="secondSeen">What that look saw.</param>
    /// <param name="earlierLooks">Passes in a row, before this one, in which the file was under suspicion.</param>
    public static Confirmation Of(
        ManifestEntry entry, FileJudgement.Doubtful first, FileObservation firstSeen, FileJudgement second, FileObservation secondSeen, int earlierLooks)
    {
        switch (second)
        {
            case FileJudgement.Sound:
                return new(null, [], Flicker: first.Next == SecondLook.FromMedium);
            case FileJudgement.Drifted drifted:
                // There again, but not the file that was proven: content decides, in this pass or as a suspect in the next.
                return new(new FileFinding(entry.Path, FindingReason.ChangedDuringCheck, Detail: $"{first.Finding.Reason}, then {drifted.Drift} changed"), [], false);
            case FileJudgement.Unverified unverified:
                return new(unverified.Finding, [], false);
            case FileJudgement.Doubtful again when IsMoving(firstSeen, secondSeen) && earlierLooks < PatienceWithChange:
                return new(new FileFinding(entry.Path, FindingReason.ChangedDuringCheck, Detail: again.Finding.Reason.ToString()), [], false);
            case FileJudgement.Doubtful again:
                return Contradicts(entry, secondSeen)
                    ? new(new FileFinding(entry.Path, FindingReason.ManifestInvalid, Detail: "SHA-256 matches, chunk digests do not"), [], true)
                    : new(again.Finding, again.Chunks, false);
            default:
                throw new ArgumentOutOfRangeException(nameof(second), second, "not one of the closed set");
        }
    }

    /// <summary>Somebody is at work on it: present both times, and not the same.</summary>
    private static bool IsMoving(FileObservation first, FileObservation second) =>
        (first, second) is (FileObservation.Present before, FileObservation.Present after)
        && (before.Stamp.Size != after.Stamp.Size || before.Stamp.MtimeNs != after.Stamp.MtimeNs || before.Stamp.Inode != after.Stamp.Inode);

    /// <summary>Both digests come from one read: when only one of them differs, it is not the file that is wrong.</summary>
    private static bool Contradicts(ManifestEntry entry, FileObservation seen) =>
        seen is FileObservation.Present present && present.Sha256 is not null && present.Sha256 == entry.Sha256 && present.Stamp.Size == entry.Size;
}
