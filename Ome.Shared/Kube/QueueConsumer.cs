using System.Diagnostics;
using k8s;
using k8s.LeaderElection;
using k8s.Models;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.KubernetesClient;
using KubeOps.Operator.Logging;
using KubeOps.Operator.Metrics;
using KubeOps.Operator.Queue;
using Microsoft.Extensions.Logging;

namespace Ome.Shared.Kube;

/// <summary>Consumes the queue of a kind on every replica; see <see cref="QueuedRun{TEntity}"/> for what it adds to KubeOps' own.</summary>
public sealed class QueueConsumer<TEntity>(
    ActivitySource activitySource,
    IKubernetesClient client,
    OperatorSettings settings,
    ITimedEntityQueue<TEntity> queue,
    IReconciler<TEntity> reconciler,
    IEntityReconcileCoordinator<TEntity> coordinator,
    ILogger<QueueConsumer<TEntity>> logger,
    ILogger<EntityQueueBackgroundService<TEntity>> baseLogger,
    IEntityLoggingScopeFactory<TEntity> scopes,
    QueueMetrics queueMetrics,
    TimeProvider time,
    OperatorMetrics? metrics = null,
    IPlannedRuns<TEntity>? planned = null)
    : EntityQueueBackgroundService<TEntity>(activitySource, client, settings, queue, reconciler, coordinator, baseLogger, scopes, metrics)
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private readonly QueuedRun<TEntity> _run = new(client, queue, reconciler, queueMetrics, planned, time, logger);

    /// <inheritdoc/>
    protected override Task<ReconciliationResult<TEntity>> ReconcileSingleAsync(QueueEntry<TEntity> entry, CancellationToken cancellationToken) =>
        _run.RunAsync(entry, ShouldReconcileAsync, cancellationToken);
}

/// <summary>Consumes the queue of a kind on the leader only.</summary>
public sealed class LeaderQueueConsumer<TEntity>(
    ActivitySource activitySource,
    IKubernetesClient client,
    OperatorSettings settings,
    ITimedEntityQueue<TEntity> queue,
    IReconciler<TEntity> reconciler,
    IEntityReconcileCoordinator<TEntity> coordinator,
    ILogger<LeaderQueueConsumer<TEntity>> logger,
    ILogger<LeaderAwareEntityQueueBackgroundService<TEntity>> baseLogger,
    LeaderElector elector,
    IEntityLoggingScopeFactory<TEntity> scopes,
    QueueMetrics queueMetrics,
    TimeProvider time,
    OperatorMetrics? metrics = null,
    IPlannedRuns<TEntity>? planned = null)
    : LeaderAwareEntityQueueBackgroundService<TEntity>(activitySource, client, settings, queue, reconciler, coordinator, baseLogger, elector, scopes, metrics)
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private readonly QueuedRun<TEntity> _run = new(client, queue, reconciler, queueMetrics, planned, time, logger);

    /// <inheritdoc/>
    protected override Task<ReconciliationResult<TEntity>> ReconcileSingleAsync(QueueEntry<TEntity> entry, CancellationToken cancellationToken) =>
        _run.RunAsync(entry, ShouldReconcileAsync, cancellationToken);
}
