using System.Diagnostics.CodeAnalysis;
using k8s;
using k8s.Models;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Reconciliation.Controller;
using KubeOps.Operator.Queue;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Prometheus;
using static System.Diagnostics.CodeAnalysis.DynamicallyAccessedMemberTypes;

namespace Ome.Shared.Kube;

/// <summary>Registers controllers with our queue instead of KubeOps' own.</summary>
public static class QueueRegistration
{
    /// <summary>
    /// The settings our queue needs; call it on the builder given to <c>AddKubernetesOperator</c>. Retries never run out, and finalizers keep the
    /// names they are registered with.
    /// </summary>
    public static OperatorSettingsBuilder WithKeyedQueue(this OperatorSettingsBuilder settings) => settings
        .WithQueueStrategy(QueueStrategy.Custom)
        .WithAutoAttachFinalizers(false)
        .WithParallelReconciliation(parallel => parallel.MaxErrorRetries = int.MaxValue);

    /// <summary>
    /// Adds a controller with a queue of its own. Queue and consumer are registered before the controller, so that the consumer runs when the
    /// watcher delivers its first event. One controller per kind.
    /// </summary>
    public static IOperatorBuilder AddQueuedController<
        [DynamicallyAccessedMembers(PublicConstructors)] TController,
        TEntity>(this IOperatorBuilder builder)
        where TController : class, IEntityController<TEntity>
        where TEntity : IKubernetesObject<V1ObjectMeta> =>
        builder.AddQueue<TEntity>().AddController<TController, TEntity>();

    /// <summary>The same for a controller that sees selected objects only.</summary>
    public static IOperatorBuilder AddQueuedController<
        [DynamicallyAccessedMembers(PublicConstructors)] TController,
        TEntity,
        [DynamicallyAccessedMembers(PublicConstructors)] TLabelSelector>(this IOperatorBuilder builder)
        where TController : class, IEntityController<TEntity>
        where TEntity : IKubernetesObject<V1ObjectMeta>
        where TLabelSelector : class, IEntityLabelSelector<TEntity> =>
        builder.AddQueue<TEntity>().AddControllerWithLabelSelector<TController, TEntity, TLabelSelector>();

    private static IOperatorBuilder AddQueue<TEntity>(this IOperatorBuilder builder)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        if (builder.Settings.QueueStrategy != QueueStrategy.Custom)
        {
            throw new InvalidOperationException($"QueueStrategy is {builder.Settings.QueueStrategy}; it must be Custom. Call {nameof(WithKeyedQueue)}() on the settings.");
        }
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IMetricFactory>(_ => Metrics.DefaultFactory);
        services.TryAddSingleton<QueueMetrics>();
        services.TryAddSingleton(_ => QueueBackoff.Default(Environment.MachineName.GetHashCode(StringComparison.Ordinal)));
        services.TryAddSingleton<ITimedEntityQueue<TEntity>, KeyedEntityQueue<TEntity>>();
        if (builder.Settings.LeaderElectionType == LeaderElectionType.Single) services.AddSingleton<IHostedService, LeaderQueueConsumer<TEntity>>();
        else services.AddSingleton<IHostedService, QueueConsumer<TEntity>>();
        return builder;
    }
}
