using System.Diagnostics;
using k8s;
using k8s.LeaderElection;
using k8s.Models;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.KubernetesClient;
using KubeOps.Operator.LeaderElection;
using KubeOps.Operator.Logging;
using KubeOps.Operator.Metrics;
using Microsoft.Extensions.Logging;

namespace KubeOps.Operator.Queue;

/// <summary>Consumes on the leader only. A lost leadership closes the intake, cancels the runs and empties the queue, in this order.</summary>
public class LeaderAwareEntityQueueBackgroundService<TEntity> : EntityQueueBackgroundService<TEntity>, ILeaderAwareEntityQueueConsumer<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private readonly LeadershipTerm _leadership;

    public LeaderAwareEntityQueueBackgroundService(
        ActivitySource activitySource,
        IKubernetesClient client,
        OperatorSettings operatorSettings,
        ITimedEntityQueue<TEntity> queue,
        IReconciler<TEntity> reconciler,
        IEntityReconcileCoordinator<TEntity> coordinator,
        ILogger<LeaderAwareEntityQueueBackgroundService<TEntity>> logger,
        LeaderElector elector,
        IEntityLoggingScopeFactory<TEntity> scopeFactory,
        OperatorMetrics? metrics = null)
        : base(activitySource, client, operatorSettings, queue, reconciler, coordinator, logger, scopeFactory, metrics) =>
        _leadership = new LeadershipTerm(elector, Begin, End);

    private ISuspendableEntityQueue? Gate => Queue as ISuspendableEntityQueue;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Gate?.SuspendIntake();
        _leadership.Follow();
        return Task.CompletedTask;
    }

    public override Task StopAsync(CancellationToken cancellationToken)
    {
        _leadership.Unfollow();
        return base.StopAsync(cancellationToken);
    }

    protected override void OnDisposing() => _leadership.Unfollow();

    private void Begin()
    {
        Gate?.ResumeIntake();
        _ = base.StartAsync(CancellationToken.None);
    }

    private void End()
    {
        Gate?.SuspendIntake();
        _ = RequestStopAsync();
        Gate?.Clear();
    }
}
