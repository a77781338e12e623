namespace Ome.Shared.Domain.Verification;

/// <summary>Keeps a fleet's checks apart: every (node, model) has its own place in the cycle, the same after every restart.</summary>
public static class FleetSpread
{
    /// <summary>Seed of everything random about one model on one node.</summary>
    public static ulong Seed(string node, string model) => StableHash.Of(model, StableHash.Of(node));

    /// <summary>How long after start the first check waits, in [0, <paramref name="window"/>).</summary>
    public static TimeSpan StartPhase(ulong seed, TimeSpan window) => window * StableHash.Share(StableHash.Of(1, seed));

    /// <summary>
    /// Share of <see cref="VerificationPolicy.DeepMaxAge"/> after which a piece is due even ahead of the even pace: 0.8 to 0.9, differing by
    /// piece, so that what missed its turn during an outage does not come due in one instant. Never near 1: the maximum age is a promise.
    /// </summary>
    public static double DueShare(ulong seed, ulong piece)
    {
        var hash = StableHash.Of(piece, seed);
        var triangular = (StableHash.Share(hash) + StableHash.Share(StableHash.Of(2, hash))) / 2;
        return VerificationPolicy.ScheduledShare + (0.1 * triangular);
    }
}
