namespace Ome.Shared.Kube;

/// <summary>
/// Delays that double from <paramref name="First"/> to <paramref name="Cap"/>, each shortened by up to half so that many clients that
/// failed together don't come back together. Pure: the same seed, key and attempt give the same delay.
/// </summary>
/// <param name="First">Upper bound of the delay after the first failure.</param>
/// <param name="Cap">Upper bound of every delay; there is no last attempt.</param>
/// <param name="Seed">Differs between processes, for instance a hash of the node name.</param>
public sealed record Backoff(TimeSpan First, TimeSpan Cap, int Seed)
{
    /// <summary>The delay before attempt <paramref name="attempt"/> + 1; attempts count from 1, lower numbers give no delay.</summary>
    public TimeSpan Delay(int attempt, int key = 0)
    {
        if (attempt <= 0) return TimeSpan.Zero;
        var full = First.Ticks * Math.Pow(2, Math.Min(attempt - 1, 62));
        var bound = Math.Min(full, Cap.Ticks);
        return TimeSpan.FromTicks((long)(bound * (0.5 + (Fraction(attempt, key) / 2))));
    }

    /// <summary>A number in [0, 1) that depends on seed, key and attempt only.</summary>
    public double Fraction(int attempt, int key)
    {
        // The finaliser of SplitMix64: neighbouring inputs land far apart.
        var mixed = unchecked(((ulong)(uint)Seed << 32) ^ (uint)key ^ ((ulong)(uint)attempt * 0x9E3779B97F4A7C15UL));
        mixed = unchecked((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9UL);
        mixed = unchecked((mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL);
        mixed ^= mixed >> 31;
        return (mixed >> 11) * (1.0 / (1UL << 53));
    }
}
