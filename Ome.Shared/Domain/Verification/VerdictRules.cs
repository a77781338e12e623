using System.Collections.Immutable;

namespace Ome.Shared.Domain.Verification;

/// <summary>From the findings of a check to its verdict: damage first, then "could not verify", else valid.</summary>
public static class VerdictRules
{
    /// <summary>The verdict over the whole artifact.</summary>
    /// <param name="findings">All confirmed findings and all reasons why something could not be verified.</param>
    /// <param name="files">Files the manifest lists: a manifest of nothing proves nothing.</param>
    public static Verdict Conclude(IEnumerable<FileFinding> findings, int files)
    {
        var ordered = findings.OrderBy(finding => finding.Reason.IsDamage() ? 0 : 1).ThenBy(finding => finding.Reason)
            .ThenBy(finding => finding.Path?.Value ?? "", StringComparer.Ordinal).ToImmutableArray();
        if (ordered is [{ Reason: var reason }, ..]) return reason.IsDamage() ? Verdict.Invalid(ordered) : Verdict.Inconclusive(ordered);
        return files == 0 ? Verdict.Inconclusive(FindingReason.ManifestInvalid, "the manifest lists no files") : Verdict.Valid;
    }
}
