using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using k8s;
using k8s.LeaderElection;
using k8s.Models;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Events;
using KubeOps.Abstractions.Reconciliation.Controller;
using KubeOps.Abstractions.Reconciliation.Finalizer;
using KubeOps.Abstractions.Reconciliation.Queue;
using KubeOps.KubernetesClient;
using KubeOps.Operator.Events;
using KubeOps.Operator.Finalizer;
using KubeOps.Operator.LeaderElection;
using KubeOps.Operator.Logging;
using KubeOps.Operator.Metrics;
using KubeOps.Operator.Queue;
using KubeOps.Operator.Reconciliation;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using static System.Diagnostics.CodeAnalysis.DynamicallyAccessedMemberTypes;

namespace KubeOps.Operator.Builder;

/// <summary>Puts the operator's parts into the container.</summary>
internal sealed class OperatorBuilder : IOperatorBuilder
{
    internal OperatorBuilder(IServiceCollection services, OperatorSettings settings)
    {
        UnsupportedSettings.Refuse(settings);
        (Services, Settings) = (services, settings);
        AddBase();
    }

    public IServiceCollection Services { get; }

    public OperatorSettings Settings { get; }

    private bool OwnsQueue => Settings.QueueStrategy is QueueStrategy.InMemory;

    private bool OwnsLoops => Settings.LeaderElectionType is not LeaderElectionType.Custom;

    public IOperatorBuilder AddController<[DynamicallyAccessedMembers(PublicConstructors)] TImplementation, TEntity>()
        where TImplementation : class, IEntityController<TEntity>
        where TEntity : IKubernetesObject<V1ObjectMeta> => Add<TImplementation, TEntity>(labels: null, fields: null);

    public IOperatorBuilder AddControllerWithLabelSelector<
        [DynamicallyAccessedMembers(PublicConstructors)] TImplementation,
        TEntity,
        [DynamicallyAccessedMembers(PublicConstructors)] TLabelSelector>()
        where TImplementation : class, IEntityController<TEntity>
        where TEntity : IKubernetesObject<V1ObjectMeta>
        where TLabelSelector : class, IEntityLabelSelector<TEntity> => Add<TImplementation, TEntity>(typeof(TLabelSelector), fields: null);

    public IOperatorBuilder AddControllerWithFieldSelector<
        [DynamicallyAccessedMembers(PublicConstructors)] TImplementation,
        TEntity,
        [DynamicallyAccessedMembers(PublicConstructors)] TFieldSelector>()
        where TImplementation : class, IEntityController<TEntity>
        where TEntity : IKubernetesObject<V1ObjectMeta>
        where TFieldSelector : class, IEntityFieldSelector<TEntity> => Add<TImplementation, TEntity>(labels: null, typeof(TFieldSelector));

    public IOperatorBuilder AddFinalizer<[DynamicallyAccessedMembers(PublicConstructors)] TImplementation, TEntity>(string identifier)
        where TImplementation : class, IEntityFinalizer<TEntity>
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        if (Settings.AutoAttachFinalizers) UnsupportedSettings.RefuseOtherName<TImplementation, TEntity>(identifier);
        Services.TryAddKeyedTransient<IEntityFinalizer<TEntity>, TImplementation>(identifier);
        Services.TryAddTransient<IEventFinalizerAttacherFactory, FinalizerAttacherFactory>();
        Services.TryAddTransient(services => services.GetRequiredService<IEventFinalizerAttacherFactory>().Create<TImplementation, TEntity>(identifier));
        return this;
    }

    private OperatorBuilder Add<[DynamicallyAccessedMembers(PublicConstructors)] TImplementation, TEntity>(
        [DynamicallyAccessedMembers(PublicConstructors)] Type? labels,
        [DynamicallyAccessedMembers(PublicConstructors)] Type? fields)
        where TImplementation : class, IEntityController<TEntity>
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var pipeline = new ControllerPipeline<TEntity>(typeof(TImplementation), labels, fields);
        RefuseSecond(pipeline);
        Services.AddSingleton(pipeline);

        Services.TryAddScoped<TImplementation>();
        Services.TryAddScoped<IEntityController<TEntity>, TImplementation>();
        if ((labels ?? fields) is { } selector) Services.TryAddSingleton(selector);
        Services.TryAddScoped<ActivePipelineQueue<TEntity>>();
        Services.TryAddTransient<EntityQueue<TEntity>>(QueueDelegate.Create<TEntity>);
        Services.TryAddSingleton<IEntityReconcileCoordinator<TEntity>, EntityReconcileCoordinator<TEntity>>();
        if (!OwnsQueue || !OwnsLoops) AddPartsForOwnLoops(pipeline);

        // The consumer starts first: with leader election it opens the intake before the watcher fills it.
        if (OwnsQueue && OwnsLoops) Services.AddSingleton<IHostedService>(pipeline.Consumer);
        if (OwnsLoops) Services.AddSingleton<IHostedService>(pipeline.Watcher);
        return this;
    }

    private void AddPartsForOwnLoops<TEntity>(ControllerPipeline<TEntity> pipeline)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        if (OwnsQueue) Services.TryAddSingleton<ITimedEntityQueue<TEntity>, TimedEntityQueue<TEntity>>();
        Services.TryAddSingleton(pipeline.Reconciler);
    }

    private void RefuseSecond<TEntity>(ControllerPipeline<TEntity> pipeline)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var others = Services.Select(service => service.IsKeyedService ? null : service.ImplementationInstance).OfType<ControllerPipeline<TEntity>>().ToList();
        if (others.Exists(other => other.Identity == pipeline.Identity))
            throw new InvalidOperationException($"{pipeline.Identity.Controller.Name} is registered twice for {typeof(TEntity).Name} with the same selector.");
        if (others.Count > 0 && (!OwnsQueue || !OwnsLoops))
            throw new InvalidOperationException($"{typeof(TEntity).Name} has a controller already: with a custom queue or custom leader election it can have one only.");
    }

    private void AddBase()
    {
        Services.AddSingleton(Settings);
        Services.AddSingleton(new ActivitySource(Settings.Name));
        if (Settings.EnableMetrics)
        {
            Services.AddMetrics();
            Services.AddSingleton(services => new OperatorMetrics(services.GetRequiredService<IMeterFactory>(), Settings.Name));
        }

        Services.TryAddSingleton(_ => KubernetesClientConfiguration.BuildDefaultConfig());
        Services.TryAddSingleton<IKubernetes>(services => new Kubernetes(services.GetRequiredService<KubernetesClientConfiguration>()));
        Services.TryAddSingleton<IKubernetesClient>(services =>
            new KubernetesClient.KubernetesClient(services.GetRequiredService<KubernetesClientConfiguration>(), services.GetRequiredService<IKubernetes>()));
        Services.TryAddSingleton<IEventResourceFactory, KubeOpsEventResourceFactory>();
        Services.TryAddTransient<IEventPublisherFactory, EventPublisherFactory>();
        Services.TryAddTransient(services => services.GetRequiredService<IEventPublisherFactory>().Create());
        Services.TryAddSingleton(typeof(IEntityLoggingScopeFactory<>), typeof(EntityLoggingScopeFactory<>));
        if (Settings.LeaderElectionType is not LeaderElectionType.Single) return;

        Services.TryAddSingleton<ILeaderElectorFactory, LeaseElectorFactory>();
        Services.TryAddSingleton<LeaderElector>(services => services.GetRequiredService<ILeaderElectorFactory>().CreateElector());
        Services.AddHostedService<LeaderElectionBackgroundService>();
    }
}
