using k8s;
using k8s.Models;
using KubeOps.Abstractions.Builder;

namespace KubeOps.Operator.Queue;

/// <summary>Shared by all consumers of a kind: how many runs at once, and never two of one object.</summary>
public interface IEntityReconcileCoordinator<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    Task AcquireParallelSlotAsync(CancellationToken cancellationToken);

    void ReleaseParallelSlot();

    /// <summary>The lock of the object's uid, released by disposing it; null when it is held and the strategy does not wait.</summary>
    Task<IAsyncDisposable?> AcquireEntityLockAsync(
        TEntity entity, ParallelReconciliationConflictStrategy strategy, CancellationToken cancellationToken);
}
