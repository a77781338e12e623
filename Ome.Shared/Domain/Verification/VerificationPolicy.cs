using System.Collections.Immutable;

namespace Ome.Shared.Domain.Verification;

/// <summary>How far checks of a model go. Names are on the wire (<c>spec.mode</c>, annotation <c>ome.io/integrity-mode</c>).</summary>
public enum IntegrityMode
{
    Off,
    Basic,
    Deep,
}

/// <summary>What a proved damage leads to. Names are on the wire (<c>spec.onDamage</c>).</summary>
public enum DamageAction
{
    /// <summary>Say so; the model stays Ready.</summary>
    ReportOnly,

    /// <summary>The node stops advertising the model.</summary>
    Withdraw,

    /// <summary>And what is bad is fetched again, where the source allows it.</summary>
    WithdrawAndRepair,
}

/// <summary>What a routine pass over content compares.</summary>
public enum PassDigest
{
    /// <summary>XXH128 of each 64 MiB chunk: finds accidents, costs a tenth of SHA-256.</summary>
    Xxh128,

    /// <summary>SHA-256 of the whole file: also finds what someone forged.</summary>
    Sha256,
}

/// <summary>How often and how hard a model's files are checked. A plain value; <see cref="Problems"/> says what is out of range.</summary>
public sealed record VerificationPolicy
{
    /// <summary>Share of <see cref="DeepMaxAge"/> after which content is read again; the rest is room for budget, restarts and retries.</summary>
    public const double ScheduledShare = 0.8;

    /// <summary>A stored time this far in the future is a clock error: what it proves is proven anew.</summary>
    public static readonly TimeSpan FutureTolerance = TimeSpan.FromHours(2);

    public static readonly TimeSpan MinInterval = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan MaxInterval = TimeSpan.FromDays(1);
    public static readonly TimeSpan MinDeepMaxAge = TimeSpan.FromMinutes(5);
    public static readonly TimeSpan MaxDeepMaxAge = TimeSpan.FromDays(366);

    /// <summary>Default Deep.</summary>
    public IntegrityMode Mode { get; init; } = IntegrityMode.Deep;

    /// <summary>Default Withdraw.</summary>
    public DamageAction OnDamage { get; init; } = DamageAction.Withdraw;

    /// <summary>Default XXH128 chunks; SHA-256 always confirms.</summary>
    public PassDigest Digest { get; init; } = PassDigest.Xxh128;

    /// <summary>
    /// Content is read from the medium even where the page cache holds it: a model that an engine has loaded is cached whole, and reading it
    /// there would prove memory. Default true.
    /// </summary>
    public bool FromMedium { get; init; } = true;

    /// <summary>Time between two checks. Default 10 min; 10 s to 1 d.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Every byte is proven at least this often. Default 7 d; from 5 min (and four intervals) to 366 d.</summary>
    public TimeSpan DeepMaxAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Bytes a second that checks may read, shared by the whole agent. Default 100 MB/s; 0 = unlimited, else from 1 MB/s.</summary>
    public long BytesPerSecond { get; init; } = 100_000_000;

    /// <summary>Between seeing that something is gone and looking again. Default 5 s; 0 to 5 min.</summary>
    public TimeSpan SettleDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Window after start over which first checks are spread. Default 5 min; 0 to 1 d.</summary>
    public TimeSpan StartJitter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Between two savings of the ledger during a pass, by time. Default 30 s; 1 s to 10 min.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Between two savings of the ledger during a pass, by bytes proven. Default 1 GiB; from 1 B.</summary>
    public long CheckpointBytes { get; init; } = 1L << 30;

    /// <summary>Everything out of range, each with the field, the value and what it must be; empty when the policy may be used.</summary>
    public ImmutableArray<string> Problems()
    {
        var problems = ImmutableArray.CreateBuilder<string>();
        Range("interval", Interval, MinInterval, MaxInterval);
        Range("deepMaxAge", DeepMaxAge, MinDeepMaxAge, MaxDeepMaxAge);
        Range("settleDelay", SettleDelay, TimeSpan.Zero, TimeSpan.FromMinutes(5));
        Range("startJitter", StartJitter, TimeSpan.Zero, TimeSpan.FromDays(1));
        Range("checkpointInterval", CheckpointInterval, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        if (problems.Count == 0 && Mode == IntegrityMode.Deep && DeepMaxAge < 4 * Interval)
            problems.Add($"deepMaxAge is {DeepMaxAge}; it must be at least four times the interval ({Interval}): raise it or lower the interval.");
        if (BytesPerSecond is < 0 or (> 0 and < 1_000_000))
            problems.Add($"bytesPerSecond is {BytesPerSecond}; it must be 0 (unlimited) or at least 1000000.");
        if (CheckpointBytes < 1) problems.Add($"checkpointBytes is {CheckpointBytes}; it must be at least 1.");
        return problems.ToImmutable();

        void Range(string field, TimeSpan value, TimeSpan least, TimeSpan most)
        {
            if (value < least || value > most) problems.Add($"{field} is {value}; it must be between {least} and {most}.");
        }
    }
}
