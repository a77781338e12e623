using System.Diagnostics;
using k8s;
using k8s.Models;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.KubernetesClient;
using KubeOps.Operator.Logging;
using KubeOps.Operator.Metrics;
using Microsoft.Extensions.Logging;

namespace KubeOps.Operator.Queue;

/// <summary>
/// Takes due entries and runs them: a slot, the object's lock, a fresh GET, the reconciler. An exception, and a failure that names
/// no time, are tried again with a back-off that has a ceiling and no end. An object touched while its run goes on runs once more after it.
/// </summary>
public partial class EntityQueueBackgroundService<TEntity>(
    ActivitySource activitySource,
    IKubernetesClient client,
    OperatorSettings operatorSettings,
    ITimedEntityQueue<TEntity> queue,
    IReconciler<TEntity> reconciler,
    IEntityReconcileCoordinator<TEntity> coordinator,
    ILogger<EntityQueueBackgroundService<TEntity>> logger,
    IEntityLoggingScopeFactory<TEntity> scopeFactory,
    OperatorMetrics? metrics = null) : RestartableHostedService, IEntityQueueConsumer<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private static readonly string EntityType = typeof(TEntity).Name;

    private readonly ParallelReconciliationSettings _settings = operatorSettings.ParallelReconciliation;

    protected ITimedEntityQueue<TEntity> Queue => queue;

    /// <summary>One run: reads the object, and hands it to the reconciler. Override it to read from a cache.</summary>
    protected virtual async Task<ReconciliationResult<TEntity>> ReconcileSingleAsync(QueueEntry<TEntity> entry, CancellationToken cancellationToken)
    {
        var queued = EntityKey.Of(entry.Entity);
        var entity = entry.ReconciliationType is ReconciliationType.Deleted
            ? entry.Entity
            : await client.GetAsync<TEntity>(queued.Name, queued.Namespace, cancellationToken);

        // Gone, or another object of the same name, which has its own entry: nothing to do, and nothing to retry.
        if (entity is null || (queued.Uid.Length > 0 && entity.Uid() != queued.Uid))
        {
            LogVanished(queued.Namespace, queued.Name);
            return ReconciliationResult<TEntity>.Success(entry.Entity);
        }

        if (!await ShouldReconcileAsync(entity, entry, cancellationToken)) return ReconciliationResult<TEntity>.Success(entity);
        var context = ReconciliationContext<TEntity>.CreateFor(entity, entry.ReconciliationType, entry.ReconciliationTriggerSource);
        return await reconciler.Reconcile(context, cancellationToken);
    }

    /// <summary>A last veto, on the object as it was just read.</summary>
    protected virtual ValueTask<bool> ShouldReconcileAsync(TEntity entity, QueueEntry<TEntity> entry, CancellationToken cancellationToken) => new(true);

    protected override async Task ExecuteAsync(CancellationToken cancellationToken)
    {
        var desk = new RunDesk<TEntity>(_settings.ConflictStrategy is ParallelReconciliationConflictStrategy.WaitForCompletion);
        try
        {
            await foreach (var entry in queue.WithCancellation(cancellationToken))
            {
                if (!desk.TryBegin(entry)) continue;
                await coordinator.AcquireParallelSlotAsync(cancellationToken);
                desk.Add(RunAsync(entry, desk, cancellationToken));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The term is over; what runs has the same token.
        }
        finally
        {
            await desk.WhenAllDoneAsync();
        }
    }

    protected override void OnLoopFaulted(Exception exception) => LogLoopFaulted(exception, EntityType);

    private async Task RunAsync(QueueEntry<TEntity> entry, RunDesk<TEntity> desk, CancellationToken cancellationToken)
    {
        try
        {
            // Off the reader's stack: a controller that never awaits must not hold up the queue.
            await Task.Yield();
            await ProcessAsync(entry, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopped, or no longer the leader.
        }
        finally
        {
            coordinator.ReleaseParallelSlot();
            if (desk.End(entry) is { } again && !cancellationToken.IsCancellationRequested) await EnqueueAsync(again, TimeSpan.Zero, cancellationToken);
        }
    }

    private async Task ProcessAsync(QueueEntry<TEntity> entry, CancellationToken cancellationToken)
    {
        using var activity = activitySource.StartActivity("reconcile " + EntityType, ActivityKind.Consumer);
        using var scope = logger.BeginScope(scopeFactory.CreateFor(entry.ReconciliationType, entry.ReconciliationTriggerSource, entry.Entity));
        await using var held = await coordinator.AcquireEntityLockAsync(entry.Entity, _settings.ConflictStrategy, cancellationToken);
        if (held is null) await YieldToEarlierRunAsync(entry, cancellationToken);
        else await ReconcileAsync(entry, cancellationToken);
    }

    private async Task ReconcileAsync(QueueEntry<TEntity> entry, CancellationToken cancellationToken)
    {
        var started = Clock.GetTimestamp();
        var (isFine, error, message, hasTime) = (false, (Exception?)null, (string?)null, false);
        try
        {
            var result = await ReconcileSingleAsync(entry, cancellationToken);
            (isFine, error, message, hasTime) = (result.IsSuccess, result.Error, result.ErrorMessage, result.RequeueAfter.HasValue);
        }
        catch (Exception thrown) when (thrown is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            (error, message) = (thrown, thrown.Message);
        }

        metrics?.RecordReconciliation(
            EntityType,
            entry.ReconciliationType.ToMetric(),
            isFine ? "success" : "failure",
            Clock.GetElapsedTime(started).TotalSeconds,
            isFine ? null : error?.GetType().FullName ?? "_OTHER");
        if (isFine) return;
        LogFailed(error, entry.ReconciliationType, EntityType, entry.Entity.Namespace(), entry.Entity.Name(), message);
        if (!hasTime) await RetryAsync(entry, cancellationToken);
    }

    private async Task RetryAsync(QueueEntry<TEntity> entry, CancellationToken cancellationToken)
    {
        if (_settings.MaxErrorRetries == 0) return;
        var retry = entry.RetryCount == int.MaxValue ? int.MaxValue : entry.RetryCount + 1;
        var delay = Backoff.Jitter(Backoff.Cap(_settings.GetErrorBackoffDelay(retry)), retry, EntityKey.Of(entry.Entity));
        if (await EnqueueAsync(entry with { RetryCount = retry }, delay, cancellationToken)) metrics?.RecordRequeue(EntityType, "error_retry");
    }

    private async Task YieldToEarlierRunAsync(QueueEntry<TEntity> entry, CancellationToken cancellationToken)
    {
        if (_settings.ConflictStrategy is ParallelReconciliationConflictStrategy.Discard) metrics?.RecordDiscard(EntityType);
        else if (await EnqueueAsync(entry, _settings.GetEffectiveRequeueDelay(), cancellationToken)) metrics?.RecordRequeue(EntityType, "conflict");
    }

    private Task<bool> EnqueueAsync(QueueEntry<TEntity> entry, TimeSpan delay, CancellationToken cancellationToken) =>
        queue.Enqueue(entry.Entity, entry.ReconciliationType, entry.ReconciliationTriggerSource, delay, entry.RetryCount, cancellationToken);
}
