using k8s;
using k8s.LeaderElection;
using k8s.Models;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Entities;
using KubeOps.Operator.LeaderElection;
using KubeOps.Operator.Metrics;
using KubeOps.Operator.Queue;
using Microsoft.Extensions.Logging;

namespace KubeOps.Operator.Watcher;

/// <summary>Watches on the leader only.</summary>
internal sealed class LeaderAwareResourceWatcher<TEntity> : ResourceWatcher<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private readonly LeadershipTerm _leadership;

    internal LeaderAwareResourceWatcher(
        EntityFeed<TEntity> feed,
        ITimedEntityQueue<TEntity> queue,
        IEntityLabelSelector<TEntity> labelSelector,
        IEntityFieldSelector<TEntity> fieldSelector,
        OperatorSettings settings,
        ILogger logger,
        TimeProvider time,
        OperatorMetrics? metrics,
        LeaderElector elector)
        : base(feed, queue, labelSelector, fieldSelector, settings, logger, time, metrics) =>
        _leadership = new LeadershipTerm(elector, () => _ = base.StartAsync(CancellationToken.None), () => _ = RequestStopAsync());

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _leadership.Follow();
        return Task.CompletedTask;
    }

    public override Task StopAsync(CancellationToken cancellationToken)
    {
        _leadership.Unfollow();
        return base.StopAsync(cancellationToken);
    }

    protected override void OnDisposing() => _leadership.Unfollow();
}
