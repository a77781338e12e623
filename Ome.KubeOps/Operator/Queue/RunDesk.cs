using k8s;
using k8s.Models;
using KubeOps.Abstractions.Reconciliation;

namespace KubeOps.Operator.Queue;

/// <summary>
/// Knows what runs in one term of a consumer. An entry for an object that runs is put aside, the newest only, and handed out when
/// that run ends: so one busy object takes one slot.
/// </summary>
internal sealed class RunDesk<TEntity>(bool putsAside)
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private readonly Dictionary<EntityKey, QueueEntry<TEntity>?> _running = [];
    private readonly HashSet<Task> _tasks = [];

    /// <summary>False: the object runs already, and the entry was put aside.</summary>
    internal bool TryBegin(QueueEntry<TEntity> entry)
    {
        if (!putsAside) return true;
        var key = EntityKey.Of(entry.Entity);
        lock (_running)
        {
            if (!_running.TryGetValue(key, out var aside))
            {
                _running.Add(key, null);
                return true;
            }

            // What a controller plans before an event was looked at takes nothing away from the event.
            var stays = aside is { ReconciliationType: ReconciliationType.Deleted } or { ReconciliationTriggerSource: ReconciliationTriggerSource.ApiServer }
                && entry.ReconciliationTriggerSource is ReconciliationTriggerSource.Operator;
            if (!stays) _running[key] = entry;
            return false;
        }
    }

    internal void Add(Task run)
    {
        lock (_tasks)
        {
            _tasks.RemoveWhere(task => task.IsCompleted);
            _tasks.Add(run);
        }
    }

    /// <summary>The run ended; what was put aside meanwhile.</summary>
    internal QueueEntry<TEntity>? End(QueueEntry<TEntity> entry)
    {
        if (!putsAside) return null;
        lock (_running)
        {
            _running.Remove(EntityKey.Of(entry.Entity), out var aside);
            return aside;
        }
    }

    internal Task WhenAllDoneAsync()
    {
        lock (_tasks) return Task.WhenAll(_tasks);
    }
}
