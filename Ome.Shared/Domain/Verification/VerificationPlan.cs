using System.Collections.Immutable;

namespace Ome.Shared.Domain.Verification;

/// <summary>What a check is asked to do.</summary>
public enum CheckScope
{
    /// <summary>Presence, stamps and structure; content only of suspects.</summary>
    Presence,

    /// <summary>And the share of content that is due.</summary>
    Scheduled,

    /// <summary>And all content that the full pass under way has not read yet.</summary>
    Full,
}

/// <summary>Why a piece of content is read in a pass.</summary>
public enum LookReason
{
    /// <summary>It looked bad or drifted before: first in line.</summary>
    Suspect,

    /// <summary>A full pass was asked for.</summary>
    Requested,

    /// <summary>Never proven, or proven at a time that cannot be.</summary>
    Unproven,

    /// <summary>Near its maximum age.</summary>
    Due,

    /// <summary>The oldest, read ahead of its time so that the load is even.</summary>
    Oldest,
}

/// <summary>Content of one file to be read. Entries that are names of one inode are read once.</summary>
/// <param name="Entries">Indexes of the manifest's entries that are this file; at least one.</param>
/// <param name="Chunks">Which chunks; default = the whole file.</param>
/// <param name="Reason">Why, of the most urgent chunk.</param>
/// <param name="Bytes">To be read.</param>
public sealed record PlannedLook(ImmutableArray<int> Entries, ImmutableArray<int> Chunks, LookReason Reason, long Bytes)
{
    public bool Whole => Chunks.IsDefault;
}

/// <summary>The content a pass reads, most urgent first.</summary>
/// <param name="Looks">In this order.</param>
/// <param name="Bytes">Of all looks.</param>
/// <param name="Deferred">Bytes that are due but did not fit the pass's budget: more than 0 again and again means the budget is too small for the age.</param>
public sealed record VerificationPlan(ImmutableArray<PlannedLook> Looks, long Bytes, long Deferred)
{
    public static VerificationPlan Nothing { get; } = new([], 0, 0);
}
