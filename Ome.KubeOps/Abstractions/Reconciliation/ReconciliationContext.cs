using k8s;
using k8s.Models;

namespace KubeOps.Abstractions.Reconciliation;

/// <summary>What happened to an object.</summary>
public enum ReconciliationType
{
    Added,
    Modified,
    Deleted,
}

/// <summary>Who asked for a run: an event of the API server, or the operator itself (a timer, another object).</summary>
public enum ReconciliationTriggerSource
{
    ApiServer,
    Operator,
}

/// <summary>One run to be done.</summary>
public sealed record ReconciliationContext<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private ReconciliationContext(TEntity entity, ReconciliationType eventType, ReconciliationTriggerSource source) =>
        (Entity, EventType, ReconciliationTriggerSource) = (entity, eventType, source);

    public TEntity Entity { get; }

    public ReconciliationType EventType { get; }

    public ReconciliationTriggerSource ReconciliationTriggerSource { get; }

    public static ReconciliationContext<TEntity> CreateFor(
        TEntity entity, ReconciliationType eventType, ReconciliationTriggerSource reconciliationTriggerSource) =>
        new(entity, eventType, reconciliationTriggerSource);
}

/// <summary>Questions to a <see cref="ReconciliationContext{TEntity}"/>.</summary>
public static class ReconciliationContextExtensions
{
    public static bool IsTriggeredByApiServer<TEntity>(this ReconciliationContext<TEntity> reconciliationContext)
        where TEntity : IKubernetesObject<V1ObjectMeta> =>
        reconciliationContext.ReconciliationTriggerSource is ReconciliationTriggerSource.ApiServer;

    public static bool IsTriggeredByOperator<TEntity>(this ReconciliationContext<TEntity> reconciliationContext)
        where TEntity : IKubernetesObject<V1ObjectMeta> =>
        reconciliationContext.ReconciliationTriggerSource is ReconciliationTriggerSource.Operator;
}
