using k8s;
using k8s.Models;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.Abstractions.Reconciliation.Controller;
using KubeOps.Abstractions.Reconciliation.Finalizer;
using KubeOps.KubernetesClient;
using KubeOps.Operator.Finalizer;
using KubeOps.Operator.Metrics;
using KubeOps.Operator.Queue;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeOps.Operator.Reconciliation;

/// <summary>
/// Picks what runs, in a DI scope of its own: the controller for a living object; for one that is being deleted the finalizer
/// registered under its first finalizer's name, if it is ours; <c>DeletedAsync</c> for one that is gone.
/// </summary>
internal sealed partial class Reconciler<TEntity>(
    IServiceProvider services,
    IKubernetesClient client,
    OperatorSettings settings,
    ITimedEntityQueue<TEntity> queue,
    Type controllerType,
    ILogger<Reconciler<TEntity>> logger,
    OperatorMetrics? metrics) : IReconciler<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    public async Task<ReconciliationResult<TEntity>> Reconcile(ReconciliationContext<TEntity> reconciliationContext, CancellationToken cancellationToken)
    {
        await using var scope = services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ActivePipelineQueue<TEntity>>().Queue = queue;
        var result = await RunAsync(reconciliationContext, scope.ServiceProvider, cancellationToken);
        if (result.RequeueAfter is not { } delay) return result;

        var isScheduled = await queue.Enqueue(
            result.Entity, reconciliationContext.EventType, ReconciliationTriggerSource.Operator, delay, retryCount: 0, cancellationToken);
        if (isScheduled) metrics?.RecordRequeue(typeof(TEntity).Name, "operator_requeue");
        return result;
    }

    private async Task<ReconciliationResult<TEntity>> RunAsync(
        ReconciliationContext<TEntity> context, IServiceProvider scope, CancellationToken cancellationToken)
    {
        var entity = context.Entity;
        if (context.EventType is ReconciliationType.Deleted) return await Controller(scope).DeletedAsync(entity, cancellationToken);
        if (entity.Metadata.DeletionTimestamp is not null) return await FinalizeAsync(entity, scope, cancellationToken);
        if (settings.AutoAttachFinalizers) entity = await AttachAllAsync(entity, scope, cancellationToken);
        return await Controller(scope).ReconcileAsync(entity, cancellationToken);
    }

    private async Task<ReconciliationResult<TEntity>> FinalizeAsync(TEntity entity, IServiceProvider scope, CancellationToken cancellationToken)
    {
        // Finalizers go one per event, in the order of the list: behind another's we wait.
        if (entity.Metadata.Finalizers is not [var identifier, ..]) return ReconciliationResult<TEntity>.Success(entity);
        if (scope.GetKeyedService<IEntityFinalizer<TEntity>>(identifier) is not { } finalizer)
        {
            LogForeignFinalizer(entity.Namespace(), entity.Name(), identifier);
            return ReconciliationResult<TEntity>.Success(entity);
        }

        var result = await finalizer.FinalizeAsync(entity, cancellationToken);
        if (!result.IsSuccess || !settings.AutoDetachFinalizers) return result;

        // The work is done; a cancelled token must not leave the object waiting for a second round.
        var released = await client.DetachFinalizerAsync(result.Entity, identifier, CancellationToken.None);
        return ReconciliationResult<TEntity>.Success(released, result.RequeueAfter);
    }

    private async Task<TEntity> AttachAllAsync(TEntity entity, IServiceProvider scope, CancellationToken cancellationToken)
    {
        foreach (var finalizer in scope.GetKeyedServices<IEntityFinalizer<TEntity>>(KeyedService.AnyKey))
            entity = await client.AttachFinalizerAsync(entity, finalizer.GetIdentifierName(entity), cancellationToken);
        return entity;
    }

    private IEntityController<TEntity> Controller(IServiceProvider scope) => (IEntityController<TEntity>)scope.GetRequiredService(controllerType);

    [LoggerMessage(9131, LogLevel.Debug, "{Namespace}/{Name} is being deleted and waits for finalizer {Identifier}, which is not ours")]
    private partial void LogForeignFinalizer(string? @namespace, string name, string identifier);
}

/// <summary>Within the scope of a run: the queue the run came from, so that whatever it queues goes there.</summary>
internal sealed class ActivePipelineQueue<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    internal ITimedEntityQueue<TEntity>? Queue { get; set; }
}
