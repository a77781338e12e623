using k8s;
using k8s.Models;
using KubeOps.Abstractions.Reconciliation;

namespace KubeOps.Operator.Queue;

/// <summary>
/// Work with a due time. Enumerating yields entries as they become due and ends when the queue is disposed or the token
/// is cancelled. One entry waits per object; a second one keeps the earlier time.
/// </summary>
public interface ITimedEntityQueue<TEntity> : IDisposable, IAsyncEnumerable<QueueEntry<TEntity>>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    /// <summary>Schedules a run. True: scheduled; false: dropped, because intake is suspended or the queue is gone.</summary>
    Task<bool> Enqueue(
        TEntity entity,
        ReconciliationType type,
        ReconciliationTriggerSource reconciliationTriggerSource,
        TimeSpan queueIn,
        int retryCount,
        CancellationToken cancellationToken);
}

/// <summary>One due entry. <paramref name="RetryCount"/> is the number of failed runs in a row before it.</summary>
public readonly record struct QueueEntry<TEntity>(
    TEntity Entity, ReconciliationType ReconciliationType, ReconciliationTriggerSource ReconciliationTriggerSource, int RetryCount);

/// <summary>What a queue offers so that a lost leadership leaves no work behind.</summary>
public interface ISuspendableEntityQueue
{
    /// <summary>Forgets everything that waits.</summary>
    void Clear();

    /// <summary>Drops whatever comes from now on.</summary>
    void SuspendIntake();

    void ResumeIntake();
}

/// <summary>Marks a hosted service that consumes the queue of a kind.</summary>
public interface IEntityQueueConsumer<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>;

/// <summary>Marks a consumer that works on the leader only.</summary>
public interface ILeaderAwareEntityQueueConsumer<TEntity> : IEntityQueueConsumer<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>;
