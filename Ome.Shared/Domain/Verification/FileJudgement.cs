using System.Collections.Immutable;

namespace Ome.Shared.Domain.Verification;

/// <summary>How something that looks bad is looked at again before it counts.</summary>
public enum SecondLook
{
    /// <summary>After the settling delay, by name: what was gone for a moment (a rename, a remount) is back then.</summary>
    AfterSettling,

    /// <summary>All bytes again from the medium, with XXH128 and SHA-256: one wrong read or a fault in our memory is not damage.</summary>
    FromMedium,
}

/// <summary>What one look says of one file. A closed set.</summary>
public abstract record FileJudgement
{
    private FileJudgement()
    {
    }

    /// <summary>As the manifest says, as far as this look went.</summary>
    public sealed record Sound : FileJudgement
    {
        public static readonly Sound Instance = new();
    }

    /// <summary>Present with the right size, but not as it was when last proven: its content must be read before anything is said.</summary>
    /// <param name="Drift">What differs: <c>mtime</c>, <c>inode</c>, <c>link</c>…</param>
    public sealed record Drifted(string Drift) : FileJudgement;

    /// <summary>It looks damaged; only a second look makes it so.</summary>
    /// <param name="Finding">What it would be.</param>
    /// <param name="Next">How to look again.</param>
    /// <param name="Chunks">Indexes of chunks that differ, when chunks were compared.</param>
    public sealed record Doubtful(FileFinding Finding, SecondLook Next, ImmutableArray<int> Chunks) : FileJudgement;

    /// <summary>It could not be looked at.</summary>
    public sealed record Unverified(FileFinding Finding) : FileJudgement;
}
