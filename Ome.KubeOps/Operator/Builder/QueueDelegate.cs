using k8s;
using k8s.Models;
using KubeOps.Abstractions.Reconciliation.Queue;
using KubeOps.Operator.Queue;
using KubeOps.Operator.Reconciliation;
using Microsoft.Extensions.DependencyInjection;

namespace KubeOps.Operator.Builder;

/// <summary>Finds, at each call, the queue an <see cref="EntityQueue{TEntity}"/> means.</summary>
internal static class QueueDelegate
{
    internal static EntityQueue<TEntity> Create<TEntity>(IServiceProvider services)
        where TEntity : IKubernetesObject<V1ObjectMeta> =>
        (entity, type, source, queueIn, retryCount, cancellationToken) =>
            Find<TEntity>(services).Enqueue(entity, type, source, queueIn, retryCount, cancellationToken);

    private static ITimedEntityQueue<TEntity> Find<TEntity>(IServiceProvider services)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        if (OfRun<TEntity>(services) is { } queueOfRun) return queueOfRun;
        if (services.GetService<ITimedEntityQueue<TEntity>>() is { } custom) return custom;
        var pipelines = services.GetServices<ControllerPipeline<TEntity>>().ToList();
        return pipelines is [var only]
            ? only.Queue(services)
            : throw new InvalidOperationException(
                $"{typeof(TEntity).Name} has {pipelines.Count} controllers: outside a run, EntityQueue<{typeof(TEntity).Name}> works with exactly one.");
    }

    private static ITimedEntityQueue<TEntity>? OfRun<TEntity>(IServiceProvider services)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            return services.GetService<ActivePipelineQueue<TEntity>>()?.Queue;
        }
        catch (InvalidOperationException)
        {
            // The root provider with scope validation on: there is no run.
            return null;
        }
    }
}
