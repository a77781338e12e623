using k8s;
using k8s.LeaderElection;
using k8s.Models;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.KubernetesClient;
using KubeOps.Operator.Metrics;
using KubeOps.Operator.Queue;
using KubeOps.Operator.Reconciliation;
using KubeOps.Operator.Watcher;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KubeOps.Operator.Builder;

/// <summary>One controller with its selectors: watcher → queue → consumer → reconciler.</summary>
internal sealed class ControllerPipeline<TEntity>(Type controller, Type? labels, Type? fields)
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private readonly Lock _lock = new();
    private ITimedEntityQueue<TEntity>? _queue;

    internal (Type Controller, Type? Labels, Type? Fields) Identity => (controller, labels, fields);

    internal ITimedEntityQueue<TEntity> Queue(IServiceProvider services)
    {
        lock (_lock) return _queue ??= services.GetService<ITimedEntityQueue<TEntity>>() ?? ActivatorUtilities.CreateInstance<TimedEntityQueue<TEntity>>(services);
    }

    internal IReconciler<TEntity> Reconciler(IServiceProvider services) => new Reconciler<TEntity>(
        services,
        services.GetRequiredService<IKubernetesClient>(),
        services.GetRequiredService<OperatorSettings>(),
        Queue(services),
        controller,
        services.GetRequiredService<ILogger<Reconciler<TEntity>>>(),
        services.GetService<OperatorMetrics>());

    internal IHostedService Consumer(IServiceProvider services)
    {
        var settings = services.GetRequiredService<OperatorSettings>();
        return settings.LeaderElectionType is LeaderElectionType.Single
            ? ActivatorUtilities.CreateInstance<LeaderAwareEntityQueueBackgroundService<TEntity>>(services, Queue(services), Reconciler(services))
            : ActivatorUtilities.CreateInstance<EntityQueueBackgroundService<TEntity>>(services, Queue(services), Reconciler(services));
    }

    internal IHostedService Watcher(IServiceProvider services)
    {
        var settings = services.GetRequiredService<OperatorSettings>();
        var feed = new EntityFeed<TEntity>(services.GetRequiredService<IKubernetesClient>().ApiClient, settings);
        var queue = Queue(services);
        var labelSelector = Selector<IEntityLabelSelector<TEntity>>(services, labels, new DefaultEntityLabelSelector<TEntity>());
        var fieldSelector = Selector<IEntityFieldSelector<TEntity>>(services, fields, new DefaultEntityFieldSelector<TEntity>());
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("KubeOps.Operator.Watcher.ResourceWatcher");
        var time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        var metrics = services.GetService<OperatorMetrics>();
        return settings.LeaderElectionType is LeaderElectionType.Single
            ? new LeaderAwareResourceWatcher<TEntity>(
                feed, queue, labelSelector, fieldSelector, settings, logger, time, metrics, services.GetRequiredService<LeaderElector>())
            : new ResourceWatcher<TEntity>(feed, queue, labelSelector, fieldSelector, settings, logger, time, metrics);
    }

    private static TSelector Selector<TSelector>(IServiceProvider services, Type? type, TSelector none)
        where TSelector : notnull => type is null ? services.GetService<TSelector>() ?? none : (TSelector)services.GetRequiredService(type);
}
