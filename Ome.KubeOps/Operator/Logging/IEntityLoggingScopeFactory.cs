using k8s;
using k8s.Models;
using KubeOps.Abstractions.Reconciliation;

namespace KubeOps.Operator.Logging;

/// <summary>Makes the log scope of an event or a run.</summary>
public interface IEntityLoggingScopeFactory<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    EntityLoggingScope CreateFor(WatchEventType eventType, TEntity entity);

    EntityLoggingScope CreateFor(ReconciliationType eventType, ReconciliationTriggerSource reconciliationTriggerSource, TEntity entity);
}

internal sealed class EntityLoggingScopeFactory<TEntity> : IEntityLoggingScopeFactory<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    public EntityLoggingScope CreateFor(WatchEventType eventType, TEntity entity) => EntityLoggingScope.CreateFor(eventType, entity);

    public EntityLoggingScope CreateFor(ReconciliationType eventType, ReconciliationTriggerSource reconciliationTriggerSource, TEntity entity) =>
        EntityLoggingScope.CreateFor(eventType, reconciliationTriggerSource, entity);
}
