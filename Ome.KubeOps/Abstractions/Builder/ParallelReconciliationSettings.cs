namespace KubeOps.Abstractions.Builder;

/// <summary>How many runs of one kind go on at once, and what follows a conflict or an exception.</summary>
public sealed record ParallelReconciliationSettings
{
    private static readonly TimeSpan DefaultRequeueDelay = TimeSpan.FromSeconds(5);

    /// <summary>Gets the number of runs at once, per kind.</summary>
    public required int MaxParallelReconciliations { get; init; }

    public required ParallelReconciliationConflictStrategy ConflictStrategy { get; init; }

    public TimeSpan? RequeueDelay { get; init; }

    /// <summary>Gets after how many exceptions in a row the KubeOps packages give a key up; 0 never retries.</summary>
    public required int MaxErrorRetries { get; init; }

    public required TimeSpan ErrorBackoffBase { get; init; }

    public TimeSpan GetEffectiveRequeueDelay() => RequeueDelay ?? DefaultRequeueDelay;

    /// <summary>The wait before retry <paramref name="retryCount"/> (1 or more): the base, doubled each time, without a ceiling.</summary>
    public TimeSpan GetErrorBackoffDelay(int retryCount) => ErrorBackoffBase * Math.ScaleB(1, Math.Min(retryCount - 1, 30));
}

/// <summary>What to do with an object whose earlier run has not ended.</summary>
public enum ParallelReconciliationConflictStrategy
{
    Discard,
    RequeueAfterDelay,
    WaitForCompletion,
}

/// <summary>Collects <see cref="ParallelReconciliationSettings"/>; the initial values are the defaults.</summary>
public sealed class ParallelReconciliationSettingsBuilder
{
    public int MaxParallelReconciliations
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    }
    = Environment.ProcessorCount * 2;

    public ParallelReconciliationConflictStrategy ConflictStrategy { get; set; } = ParallelReconciliationConflictStrategy.WaitForCompletion;

    public TimeSpan? RequeueDelay { get; set; }

    public int MaxErrorRetries { get; set; } = 5;

    public TimeSpan ErrorBackoffBase { get; set; } = TimeSpan.FromSeconds(2);

    public ParallelReconciliationSettings Build() => new()
    {
        MaxParallelReconciliations = MaxParallelReconciliations,
        ConflictStrategy = ConflictStrategy,
        RequeueDelay = RequeueDelay,
        MaxErrorRetries = MaxErrorRetries,
        ErrorBackoffBase = ErrorBackoffBase,
    };
}
