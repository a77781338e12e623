using System.Collections.Immutable;
using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Verification;

/// <summary>Judges one look at one file against its manifest entry. Short rules in order; the first that speaks wins.</summary>
public static class FileJudge
{
    private const string Inode = "inode";

    /// <summary>What this one look says.</summary>
    /// <param name="entry">What it should be.</param>
    /// <param name="provenStamp">The stamp under which its content was last proven.</param>
    /// <param name="seen">What it is.</param>
    /// <param name="chunkBytes">Of the manifest.</param>
    public static FileJudgement Judge(ManifestEntry entry, FileStamp provenStamp, FileObservation seen, long chunkBytes = ArtifactManifest.ChunkSize) => seen switch
    {
        FileObservation.Missing => Doubt(new FileFinding(entry.Path, FindingReason.FileMissing, Size(entry.Size), "nothing"), SecondLook.AfterSettling),
        FileObservation.WrongType wrong => Doubt(
            new FileFinding(entry.Path, FindingReason.UnexpectedType, entry.LinkTarget is null ? "regular file" : "link", wrong.Type), SecondLook.AfterSettling),
        FileObservation.BadLink bad => Doubt(
            new FileFinding(entry.Path, FindingReason.LinkInvalid, LinkText(entry.LinkTarget), LinkText(bad.Target), Detail: bad.Problem), SecondLook.AfterSettling),
        FileObservation.Unreadable { Cause: UnreadableCause.Medium } error => Doubt(
            new FileFinding(entry.Path, FindingReason.ReadError, "readable", error.Errno, error.Offset), SecondLook.FromMedium),
        FileObservation.Unreadable error => new FileJudgement.Unverified(new FileFinding(entry.Path, ReasonOf(error.Cause), Actual: error.Errno, Offset: error.Offset)),
        FileObservation.ChangedMeanwhile => new FileJudgement.Unverified(new FileFinding(entry.Path, FindingReason.ChangedDuringCheck)),
        FileObservation.Present present => JudgePresent(entry, provenStamp, present, chunkBytes),
        _ => throw new ArgumentOutOfRangeException(nameof(seen), seen, "not one of the closed set"),
    };

    /// <summary>What a failure to look means for the check: never damage.</summary>
    public static FindingReason ReasonOf(UnreadableCause cause) => cause switch
    {
        UnreadableCause.Permission => FindingReason.PermissionDenied,
        UnreadableCause.TimedOut => FindingReason.TimedOut,
        UnreadableCause.RootUnavailable => FindingReason.RootUnavailable,
        UnreadableCause.Cancelled => FindingReason.Cancelled,
        UnreadableCause.Medium => FindingReason.ReadError,
        _ => FindingReason.SourceUnavailable,
    };

    /// <summary>
    /// What differs between the present stamp and the one last proven; null when nothing does. The device number is left out: it changes
    /// with the order of mounts at boot. Another link that leads to the proven inode is no drift.
    /// </summary>
    public static string? DriftOf(ManifestEntry entry, FileStamp proven, FileObservation.Present present) =>
        DriftOf(proven, present.Stamp) is { } drift ? drift == Inode && present.LinkTarget != entry.LinkTarget ? "link" : drift : null;

    /// <summary>True for a regular file that has its size and the stamp under which it was last proven: <see cref="Judge"/> would call it sound.</summary>
    public static bool IsAsProven(ManifestEntry entry, FileStamp proven, FileStamp seen) => seen.Size == entry.Size && DriftOf(proven, seen) is null;

    private static string? DriftOf(FileStamp proven, FileStamp seen) =>
        seen.Inode != proven.Inode ? Inode
        : seen.MtimeNs != proven.MtimeNs ? "mtime"
        : seen.CtimeNs != proven.CtimeNs ? "ctime"
        : seen.Blocks != proven.Blocks ? "blocks"
        : null;

    private static FileJudgement JudgePresent(ManifestEntry entry, FileStamp provenStamp, FileObservation.Present present, long chunkBytes)
    {
        if (present.Stamp.Size != entry.Size) return Doubt(SizeFinding(entry, present), SecondLook.AfterSettling);
        var wrong = WrongChunks(entry, present);
        var wrongDigest = entry.Sha256 is { } expected && present.Sha256 is { } actual && expected != actual;
        if (wrong.Length > 0 || wrongDigest)
            return new FileJudgement.Doubtful(ContentFinding(entry, present, wrong, chunkBytes), SecondLook.FromMedium, wrong);
        if (ProvesContent(entry, present)) return FileJudgement.Sound.Instance;
        return DriftOf(entry, provenStamp, present) is { } drift ? new FileJudgement.Drifted(drift) : FileJudgement.Sound.Instance;
    }

    /// <summary>True when the look compared every byte.</summary>
    public static bool ProvesContent(ManifestEntry entry, FileObservation.Present present) =>
        entry.HasContentDigest && (present.Sha256 == entry.Sha256 || (entry.Chunks.Length > 0 && present.Chunks.Count == entry.Chunks.Length) || entry.Size == 0);

    private static ImmutableArray<int> WrongChunks(ManifestEntry entry, FileObservation.Present present) =>
        present.Chunks.IsEmpty ? [] : [.. present.Chunks.Where(chunk => chunk.Key < entry.Chunks.Length && chunk.Value != entry.Chunks[chunk.Key]).Select(chunk => chunk.Key)];

    private static FileFinding SizeFinding(ManifestEntry entry, FileObservation.Present present) => present.LinkTarget == entry.LinkTarget
        ? new FileFinding(entry.Path, FindingReason.SizeMismatch, Size(entry.Size), Size(present.Stamp.Size), Math.Min(entry.Size, present.Stamp.Size))
        : OtherLink(entry, present);

    private static FileFinding ContentFinding(ManifestEntry entry, FileObservation.Present present, ImmutableArray<int> wrong, long chunkBytes)
    {
        // Another target with other bytes: the link is what went wrong, the content follows from it.
        if (present.LinkTarget != entry.LinkTarget) return OtherLink(entry, present);
        long? offset = wrong.Length > 0 ? wrong[0] * chunkBytes : null;
        var (was, now) = present.Sha256 is { } sha256 && sha256 != entry.Sha256
            ? (entry.Sha256!.Value.ToString(), sha256.ToString())
            : ($"xxh128:{entry.Chunks[wrong[0]]:x32}", $"xxh128:{present.Chunks[wrong[0]]:x32}");
        return new FileFinding(entry.Path, FindingReason.DigestMismatch, was, now, offset, wrong.Length > 0 ? $"{ChunkText(wrong)} of {entry.Chunks.Length}" : null);
    }

    private static FileFinding OtherLink(ManifestEntry entry, FileObservation.Present present) => new(
        entry.Path, FindingReason.LinkInvalid, LinkText(entry.LinkTarget), LinkText(present.LinkTarget), Detail: "other content behind it");

    private static string ChunkText(ImmutableArray<int> chunks)
    {
        const int Shown = 8;
        var text = string.Join(", ", chunks.Take(Shown));
        return (chunks.Length == 1 ? "chunk " : "chunks ") + (chunks.Length > Shown ? $"{text} and {chunks.Length - Shown} more" : text);
    }

    private static FileJudgement.Doubtful Doubt(FileFinding finding, SecondLook next) => new(finding, next, []);

    private static string Size(long bytes) => $"{bytes} bytes";

    private static string LinkText(string? target) => target is null ? "regular file" : $"link to {target}";
}
