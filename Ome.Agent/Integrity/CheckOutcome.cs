using System.Globalization;
using Ome.Agent.Models;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Integrity;

/// <summary>What a check's report means for a model: its new record, and the words for people. Pure.</summary>
public static class CheckOutcome
{
    private const int MaxFindings = 16;

    /// <summary>The record after a check; its phase is <paramref name="phase"/>.</summary>
    public static ModelRecord Apply(ModelRecord record, CheckReport report, ModelPhase phase, string manifestDigest, long generation, DateTimeOffset now)
    {
        var verdict = report.Verdict;
        var reason = verdict.Reason?.ToString();
        return record with
        {
            Phase = phase,
            Since = phase == record.Phase ? record.Since : now,
            Reason = phase is ModelPhase.Withdrawn ? reason ?? record.Reason : null,
            Message = phase is ModelPhase.Withdrawn ? Message(record, report) : null,
            Findings = [.. verdict.Findings.Take(MaxFindings).Select(Recorded)],
            ReadErrors = ReadErrors(record, report),
            LastCheck = now,
            LastDeepCheck = report.FullPassEnded ? now : record.LastDeepCheck,
            Validation = new ReportedValidation
            {
                Mode = report.Mode.ToString(),
                Result = verdict.Result.ToString(),
                Reason = reason,
                Message = verdict.Result == CheckResult.Valid ? null : Message(record, report),
                LastCheckedTime = now,
                OldestProofTime = report.OldestProof is { } proof && proof > DateTimeOffset.UnixEpoch ? proof : null,
                FilesChecked = report.FilesChecked,
                BytesChecked = report.BytesChecked,
                ManifestDigest = manifestDigest,
                ObservedGeneration = generation,
            },
        };
    }

    /// <summary>A check that could not look, or did not look at all of a withdrawn model, ends no row.</summary>
    private static int ReadErrors(ModelRecord record, CheckReport report)
    {
        if (report.Verdict.Findings.Any(static finding => finding.Reason == FindingReason.ReadError)) return Math.Min(record.ReadErrors + 1, ModelRecord.PersistentReadErrors);
        return report.Verdict.Result == CheckResult.Valid && (report.FullPassEnded || record.Phase != ModelPhase.Withdrawn) ? 0 : record.ReadErrors;
    }

    /// <summary>Whether two validations differ in anything but times and counts: what is worth a write before the heartbeat.</summary>
    public static bool SaysTheSame(ReportedValidation? one, ReportedValidation? other) =>
        one is not null && other is not null && one.Result == other.Result && one.Reason == other.Reason && one.Message == other.Message
        && one.ManifestDigest == other.ManifestDigest && one.ObservedGeneration == other.ObservedGeneration;

    /// <summary>One sentence: which file, what is wrong, how many more, what happens next.</summary>
    public static string Message(ModelRecord record, CheckReport report)
    {
        var findings = report.Verdict.Findings;
        if (findings.IsEmpty) return "intact";
        var others = findings.Length - 1;
        return Describe(findings[0]) + (others == 0 ? "" : others == 1 ? ", and one more finding" : $", and {others} more findings");
    }

    public static string Describe(FileFinding finding)
    {
        var what = finding.Path?.Value ?? finding.Expected ?? "the model";
        return finding.Reason switch
        {
            FindingReason.FileMissing => $"{what} is missing",
            FindingReason.SizeMismatch => $"{what} has {finding.Actual} instead of {finding.Expected}",
            FindingReason.DigestMismatch => $"{what} holds other bytes than it should{At(finding)}",
            FindingReason.StructureInvalid => $"{what} is not well-formed: {finding.Detail ?? finding.Actual}",
            FindingReason.IndexIncomplete => $"{what} names files that are not there: {finding.Detail ?? finding.Actual}",
            FindingReason.LinkInvalid => $"{what} is a broken link: {finding.Detail ?? finding.Actual}",
            FindingReason.UnexpectedType => $"{what} is {finding.Actual}, not a file",
            FindingReason.ReadError => $"{what} cannot be read from the disk ({finding.Detail ?? finding.Actual}){At(finding)}",
            FindingReason.RootUnavailable => $"{what} is not available: its disk may not be mounted",
            FindingReason.PermissionDenied => $"{what} may not be read by the agent",
            FindingReason.ManifestMissing => "there is no manifest to compare with",
            FindingReason.ManifestInvalid => $"the manifest cannot be used: {finding.Detail}",
            FindingReason.SourceChanged => "the files are of another source than the model names now",
            FindingReason.ChangedDuringCheck => $"{what} changed while it was checked",
            FindingReason.TimedOut => $"{what} did not answer in time",
            FindingReason.Cancelled => "the check was interrupted",
            _ => $"{what}: {finding.Reason}",
        } + (finding.Detail is { Length: > 0 } detail && finding.Reason is FindingReason.FileMissing ? $" ({detail})" : "");
    }

    private static string At(FileFinding finding) => finding.Offset is { } offset ? $" at byte {offset.ToString(CultureInfo.InvariantCulture)}" : "";

    private static RecordedFinding Recorded(FileFinding finding) =>
        new(finding.Path?.Value, finding.Reason.ToString(), finding.Expected, finding.Actual, finding.Offset, finding.Detail);
}
