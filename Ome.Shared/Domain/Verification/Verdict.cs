using System.Collections.Immutable;

namespace Ome.Shared.Domain.Verification;

/// <summary>What a check looked at. Names are on the wire (entry <c>validation.mode</c>).</summary>
public enum CheckMode
{
    /// <summary>Presence, stamps, structure; content only of files whose stamp changed.</summary>
    Basic,

    /// <summary>Content: every byte of the pass was read and compared.</summary>
    Deep,
}

/// <summary>Three values; "could not look" is never "damaged". Names are on the wire (entry <c>validation.result</c>).</summary>
public enum CheckResult
{
    Valid,
    Invalid,
    Inconclusive,
}

/// <summary>The judgement of a check over a whole artifact.</summary>
public sealed record Verdict
{
    private Verdict(CheckResult result, FindingReason? reason, ImmutableArray<FileFinding> findings)
    {
        Result = result;
        Reason = reason;
        Findings = findings;
    }

    public CheckResult Result { get; }

    /// <summary>The first finding's reason; null when Valid.</summary>
    public FindingReason? Reason { get; }

    /// <summary>All findings, most telling first; may hold non-damage findings beside damage. Empty when Valid.</summary>
    public ImmutableArray<FileFinding> Findings { get; }

    public static Verdict Valid { get; } = new(CheckResult.Valid, null, []);

    /// <summary>Proved and confirmed damage; <paramref name="findings"/> must begin with a damage reason.</summary>
    public static Verdict Invalid(ImmutableArray<FileFinding> findings) =>
        findings is [{ Reason: var reason }, ..] && reason.IsDamage()
            ? new Verdict(CheckResult.Invalid, reason, findings)
            : throw new ArgumentException("Invalid needs a damage finding first.", nameof(findings));

    /// <summary>Could not verify, and why.</summary>
    public static Verdict Inconclusive(ImmutableArray<FileFinding> findings) =>
        findings is [{ Reason: var reason }, ..]
            ? new Verdict(CheckResult.Inconclusive, reason, findings)
            : throw new ArgumentException("Inconclusive needs a finding.", nameof(findings));

    public static Verdict Inconclusive(FindingReason reason, string? detail = null) =>
        Inconclusive([new FileFinding(null, reason, Detail: detail)]);
}
