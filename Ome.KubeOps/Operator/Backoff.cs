namespace KubeOps.Operator;

/// <summary>Exponential waits with a ceiling. The jitter comes from who waits, so that the peers of a fleet do not step together.</summary>
internal static class Backoff
{
    internal static readonly TimeSpan Ceiling = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);

    /// <summary>1 s, 2 s, 4 s … up to the ceiling, each shortened by up to a quarter.</summary>
    internal static TimeSpan Delay(int attempt, object who) => Jitter(Cap(First * Math.ScaleB(1, Math.Clamp(attempt - 1, 0, 30))), attempt, who);

    internal static TimeSpan Cap(TimeSpan delay) => delay < Ceiling ? delay : Ceiling;

    // HashCode is seeded per process: that is all the chance jitter needs.
    internal static TimeSpan Jitter(TimeSpan delay, int attempt, object who) =>
        delay * (1 - (uint)HashCode.Combine(who, attempt) / (double)uint.MaxValue / 4);
}
