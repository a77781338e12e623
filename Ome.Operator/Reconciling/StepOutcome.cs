namespace Ome.Operator.Reconciling;

/// <summary>How a step ended. What failed by the network or the API server is an exception, and comes back with a back-off.</summary>
public readonly record struct StepOutcome
{
    private StepOutcome(bool isDone, TimeSpan? wait) => (IsDone, Wait) = (isDone, wait);

    /// <summary>No further step.</summary>
    public bool IsDone { get; }

    /// <summary>When to come back, if not by an event.</summary>
    public TimeSpan? Wait { get; }

    /// <summary>The next step follows.</summary>
    public static StepOutcome Continue { get; } = new(isDone: false, null);

    /// <summary>Enough for now.</summary>
    public static StepOutcome Done { get; } = new(isDone: true, null);

    /// <summary>Enough for now; come back in a while.</summary>
    public static StepOutcome WaitFor(TimeSpan time) => new(isDone: true, time);
}
