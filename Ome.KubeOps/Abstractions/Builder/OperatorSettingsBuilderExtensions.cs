namespace KubeOps.Abstractions.Builder;

/// <summary>The settings in fluent form.</summary>
public static class OperatorSettingsBuilderExtensions
{
    public static OperatorSettingsBuilder WithName(this OperatorSettingsBuilder builder, string name)
    {
        builder.Name = name;
        return builder;
    }

    public static OperatorSettingsBuilder WithNamespace(this OperatorSettingsBuilder builder, string? ns)
    {
        builder.Namespace = ns;
        return builder;
    }

    public static OperatorSettingsBuilder WithLeaderElection(this OperatorSettingsBuilder builder, LeaderElectionType type)
    {
        builder.LeaderElectionType = type;
        return builder;
    }

    public static OperatorSettingsBuilder WithLeaderElectionTimings(
        this OperatorSettingsBuilder builder, TimeSpan leaseDuration, TimeSpan renewDeadline, TimeSpan retryPeriod)
    {
        builder.LeaderElectionLeaseDuration = leaseDuration;
        builder.LeaderElectionRenewDeadline = renewDeadline;
        builder.LeaderElectionRetryPeriod = retryPeriod;
        return builder;
    }

    public static OperatorSettingsBuilder WithLeaderElectionLeaseDuration(this OperatorSettingsBuilder builder, TimeSpan leaseDuration)
    {
        builder.LeaderElectionLeaseDuration = leaseDuration;
        return builder;
    }

    public static OperatorSettingsBuilder WithLeaderElectionRenewDeadline(this OperatorSettingsBuilder builder, TimeSpan renewDeadline)
    {
        builder.LeaderElectionRenewDeadline = renewDeadline;
        return builder;
    }

    public static OperatorSettingsBuilder WithLeaderElectionRetryPeriod(this OperatorSettingsBuilder builder, TimeSpan retryPeriod)
    {
        builder.LeaderElectionRetryPeriod = retryPeriod;
        return builder;
    }

    public static OperatorSettingsBuilder WithQueueStrategy(this OperatorSettingsBuilder builder, QueueStrategy strategy)
    {
        builder.QueueStrategy = strategy;
        return builder;
    }

    public static OperatorSettingsBuilder WithWatchStrategy(this OperatorSettingsBuilder builder, WatchStrategy strategy)
    {
        builder.WatchStrategy = strategy;
        return builder;
    }

    public static OperatorSettingsBuilder WithReconcileStrategy(this OperatorSettingsBuilder builder, ReconcileStrategy strategy)
    {
        builder.ReconcileStrategy = strategy;
        return builder;
    }

    public static OperatorSettingsBuilder WithAutoAttachFinalizers(this OperatorSettingsBuilder builder, bool value = true)
    {
        builder.AutoAttachFinalizers = value;
        return builder;
    }

    public static OperatorSettingsBuilder WithAutoDetachFinalizers(this OperatorSettingsBuilder builder, bool value = true)
    {
        builder.AutoDetachFinalizers = value;
        return builder;
    }

    public static OperatorSettingsBuilder WithMetrics(this OperatorSettingsBuilder builder, bool value = true)
    {
        builder.EnableMetrics = value;
        return builder;
    }

    public static OperatorSettingsBuilder WithRegistrationValidation(this OperatorSettingsBuilder builder, bool value = true)
    {
        builder.ValidateRegistrations = value;
        return builder;
    }

    public static OperatorSettingsBuilder WithParallelReconciliation(
        this OperatorSettingsBuilder builder, Action<ParallelReconciliationSettingsBuilder> configure)
    {
        configure(builder.ParallelReconciliation);
        return builder;
    }
}
