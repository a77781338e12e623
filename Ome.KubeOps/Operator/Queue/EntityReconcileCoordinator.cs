using k8s;
using k8s.Models;
using KubeOps.Abstractions.Builder;

namespace KubeOps.Operator.Queue;

/// <summary>A semaphore for the slots and one per object in work; the latter goes with its last user.</summary>
internal sealed class EntityReconcileCoordinator<TEntity>(OperatorSettings settings) : IEntityReconcileCoordinator<TEntity>, IDisposable
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private readonly SemaphoreSlim _slots = new(settings.ParallelReconciliation.MaxParallelReconciliations);
    private readonly Dictionary<string, Gate> _gates = new(StringComparer.Ordinal);

    public Task AcquireParallelSlotAsync(CancellationToken cancellationToken) => _slots.WaitAsync(cancellationToken);

    public void ReleaseParallelSlot() => _slots.Release();

    public async Task<IAsyncDisposable?> AcquireEntityLockAsync(
        TEntity entity, ParallelReconciliationConflictStrategy strategy, CancellationToken cancellationToken)
    {
        var gate = Enter(LockName(entity));
        var isHeld = false;
        try
        {
            var patience = strategy is ParallelReconciliationConflictStrategy.WaitForCompletion ? Timeout.InfiniteTimeSpan : TimeSpan.Zero;
            isHeld = await gate.Door.WaitAsync(patience, cancellationToken);
            return isHeld ? new EntityLock(this, gate) : null;
        }
        finally
        {
            if (!isHeld) Leave(gate);
        }
    }

    public void Dispose() => _slots.Dispose();

    // By name, which is stricter than by uid: whoever wakes an object by name alone has no uid at hand, and the end of one object
    // and the start of the next of its name then never run side by side either.
    private static string LockName(TEntity entity)
    {
        var key = EntityKey.Of(entity);
        return $"{key.Namespace}/{key.Name}";
    }

    private Gate Enter(string name)
    {
        lock (_gates)
        {
            if (!_gates.TryGetValue(name, out var gate)) _gates[name] = gate = new Gate(name);
            gate.Users++;
            return gate;
        }
    }

    private void Leave(Gate gate)
    {
        lock (_gates)
            if (--gate.Users == 0 && _gates.Remove(gate.Name)) gate.Door.Dispose();
    }

    private sealed class Gate(string name)
    {
        internal string Name { get; } = name;

        internal SemaphoreSlim Door { get; } = new(1);

        internal int Users { get; set; }
    }

    private sealed class EntityLock(EntityReconcileCoordinator<TEntity> owner, Gate gate) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            gate.Door.Release();
            owner.Leave(gate);
            return ValueTask.CompletedTask;
        }
    }
}
