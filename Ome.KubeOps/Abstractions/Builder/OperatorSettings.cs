namespace KubeOps.Abstractions.Builder;

/// <summary>What an operator host runs with. Built by <see cref="OperatorSettingsBuilder"/>, which holds the defaults.</summary>
public sealed record OperatorSettings
{
    /// <summary>Gets the operator's name: of its lease (<c>name-leader</c>), meter, activity source, and of Events' reporter.</summary>
    public required string Name { get; init; }

    /// <summary>Gets the only namespace watched, for every kind; null watches all.</summary>
    public string? Namespace { get; init; }

    public required LeaderElectionType LeaderElectionType { get; init; }

    public required QueueStrategy QueueStrategy { get; init; }

    public required WatchStrategy WatchStrategy { get; init; }

    public required TimeSpan LeaderElectionLeaseDuration { get; init; }

    public required TimeSpan LeaderElectionRenewDeadline { get; init; }

    public required TimeSpan LeaderElectionRetryPeriod { get; init; }

    /// <summary>Gets a value indicating whether every registered finalizer is added, by derived name, before a reconcile.</summary>
    public required bool AutoAttachFinalizers { get; init; }

    /// <summary>Gets a value indicating whether a finalizer that succeeded is removed from the object.</summary>
    public required bool AutoDetachFinalizers { get; init; }

    public required ReconcileStrategy ReconcileStrategy { get; init; }

    public required ParallelReconciliationSettings ParallelReconciliation { get; init; }

    public required bool EnableMetrics { get; init; }

    public bool ValidateRegistrations { get; init; }
}

/// <summary>Who reconciles when several instances run.</summary>
public enum LeaderElectionType
{
    /// <summary>Every instance does everything.</summary>
    None = 0,

    /// <summary>One instance, which holds the Lease.</summary>
    Single = 1,

    /// <summary>The application registers watchers and consumers itself.</summary>
    Custom = 2,

    /// <summary>Instances share the objects among them. Only the KubeOps packages have it.</summary>
    Scoped = 3,
}

/// <summary>Whose queue stands between watcher and reconciler.</summary>
public enum QueueStrategy
{
    InMemory,

    /// <summary>The application registers <c>ITimedEntityQueue</c> and its consumers.</summary>
    Custom,
}

/// <summary>How many watches a kind with several controllers has.</summary>
public enum WatchStrategy
{
    PerController,

    /// <summary>One for all of them. Only the KubeOps packages have it.</summary>
    SharedPerEntity,
}

/// <summary>Which events are news.</summary>
public enum ReconcileStrategy
{
    /// <summary>A raised generation, a changed deletion mark or finalizer list; every event for kinds without a generation.</summary>
    ByGeneration,

    /// <summary>Every new resourceVersion, also of status and labels, also of own writes.</summary>
    ByResourceVersion,
}
