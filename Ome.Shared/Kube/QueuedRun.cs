using k8s;
using k8s.Models;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.KubernetesClient;
using KubeOps.Operator.Queue;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace Ome.Shared.Kube;

/// <summary>
/// One run of one queue entry. Over KubeOps' own it adds: a failure that names no time is retried with back-off instead of never; an object
/// that is gone is no failure; an entry of a former life runs as its successor, under the successor's key and lock; a planned run that is not due any
/// more is put off before anything is read. It measures every run that was not cut off.
/// </summary>
internal sealed partial class QueuedRun<TEntity>(
    IKubernetesClient client, ITimedEntityQueue<TEntity> queue, IReconciler<TEntity> reconciler, QueueMetrics metrics, IPlannedRuns<TEntity>? planned, TimeProvider time, ILogger logger)
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private readonly Histogram.Child _duration = metrics.Duration(typeof(TEntity).Name);
    private readonly Counter.Child _errors = metrics.Errors(typeof(TEntity).Name);

    /// <summary>Asked with the object that would be reconciled; false skips it.</summary>
    public delegate ValueTask<bool> ShouldReconcile(TEntity entity, QueueEntry<TEntity> entry, CancellationToken cancellationToken);

    /// <summary>Throws what the API or the controller throws, and <see cref="ReconcileFailedException"/>: all of it is retried.</summary>
    public async Task<ReconciliationResult<TEntity>> RunAsync(QueueEntry<TEntity> entry, ShouldReconcile should, CancellationToken cancellationToken)
    {
        if (entry is { ReconciliationTriggerSource: ReconciliationTriggerSource.Operator, ReconciliationType: not ReconciliationType.Deleted }
            && planned?.Remaining(entry.Entity) is { } wait && wait > TimeSpan.Zero)
        {
            await queue.Enqueue(entry.Entity, entry.ReconciliationType, entry.ReconciliationTriggerSource, wait, retryCount: 0, cancellationToken);
            return ReconciliationResult<TEntity>.Success(entry.Entity);
        }

        var started = time.GetTimestamp();
        try
        {
            var result = await ReconcileAsync(entry, should, cancellationToken);
            Measure(started, result.IsSuccess);
            return result;
        }
        catch (Exception trouble) when (trouble is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            Measure(started, isSuccess: false);
            throw;
        }
    }

    private async Task<ReconciliationResult<TEntity>> ReconcileAsync(QueueEntry<TEntity> entry, ShouldReconcile should, CancellationToken cancellationToken)
    {
        var entity = entry.Entity;
        if (entry.ReconciliationType != ReconciliationType.Deleted)
        {
            var current = await client.GetAsync<TEntity>(entity.Name(), entity.Namespace(), cancellationToken);
            if (current is null) return ReconciliationResult<TEntity>.Success(entity);
            if (entity.Uid() is { Length: > 0 } uid && uid != current.Uid())
            {
                LogReborn(typeof(TEntity).Name, ObjectName.Of(entity).ToString());
                await queue.Enqueue(current, entry.ReconciliationType, entry.ReconciliationTriggerSource, TimeSpan.Zero, 0, cancellationToken);
                return ReconciliationResult<TEntity>.Success(entity);
            }
            entity = current;
        }
        if (!await should(entity, entry, cancellationToken)) return ReconciliationResult<TEntity>.Success(entity);

        var context = ReconciliationContext<TEntity>.CreateFor(entity, entry.ReconciliationType, entry.ReconciliationTriggerSource);
        var result = await reconciler.Reconcile(context, cancellationToken);
        if (!result.IsSuccess && result.RequeueAfter is null) throw new ReconcileFailedException(result.ErrorMessage, result.Error);
        return result;
    }

    private void Measure(long started, bool isSuccess)
    {
        _duration.Observe(time.GetElapsedTime(started).TotalSeconds);
        if (!isSuccess) _errors.Inc();
    }

    [LoggerMessage(2110, LogLevel.Debug, "{Kind} {Name} was deleted and created again; the new object is reconciled")]
    private partial void LogReborn(string kind, string name);
}

/// <summary>A controller returned a failure without a time to try again; KubeOps' consumer retries exceptions only.</summary>
public sealed class ReconcileFailedException(string message, Exception? inner) : Exception(message, inner);
