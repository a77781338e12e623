using k8s;
using k8s.LeaderElection;
using k8s.Models;
using KubeOps.Abstractions.Builder;
using KubeOps.Operator;
using KubeOps.Operator.Queue;
using Ome.Operator.Controllers;
using Ome.Operator.Reconciling;
using Ome.Operator.Watching;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Kube;
using Prometheus;

namespace Ome.Operator;

/// <summary>Wiring, and nothing else.</summary>
public static class OperatorServices
{
    /// <summary>Name of the operator; its lease is <c>ome-operator-leader</c>.</summary>
    public const string OperatorName = "ome-operator";

    // A node is about 10 KB; the page is parsed at once.
    private const int NodesPerPage = 200;

    /// <summary>Adds the whole operator. The client configuration is registered already.</summary>
    public static IServiceCollection AddOmeOperator(this IServiceCollection services, OperatorOptions options)
    {
        ApiJson.Register();
        var registry = Metrics.NewCustomRegistry();
        services.AddSingleton(options);
        services.AddSingleton(registry);
        services.AddSingleton<IMetricFactory>(Metrics.WithCustomRegistry(registry));
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<FleetMetrics>();
        services.AddSingleton<QueueMetrics>();
        services.AddSingleton(QueueBackoff.Default(Environment.ProcessId));
        services.AddSingleton(provider => new Leadership(provider.GetRequiredService<FleetMetrics>(), provider.GetService<LeaderElector>()));
        services.AddSingleton<ModelWaker>();
        services.AddSingleton<ReportIndex>();
        services.AddSingleton<AnnotationWatch>();
        services.AddSingleton<ModelPatcher>();
        services.AddSingleton<ModelReconciler>();
        AddInformers(services, options);
        AddControllers(services, options);
        services.AddHostedService<NodeReaper>();
        return services;
    }

    private static void AddInformers(IServiceCollection services, OperatorOptions options)
    {
        services.AddSingleton(provider => NodeReportInformer.Create(
            provider.GetRequiredService<IKubernetes>(),
            options.Namespace,
            static report => new ArrivedReport(report.Data),
            provider.GetRequiredService<ReportIndex>().OnReportAsync,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>(),
            Environment.ProcessId));
        services.AddSingleton(provider => new Informer<BareNode, string>(
            provider.GetRequiredService<IKubernetes>(),
            new InformerOptions { PageSize = NodesPerPage, JitterSeed = Environment.ProcessId },
            static node => node.Name(),
            provider.GetRequiredService<ReportIndex>().OnNodeAsync,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Informer<BareNode, string>>>()));
        AddAnnotationWatch<BareBaseModel>(services);
        AddAnnotationWatch<BareClusterBaseModel>(services);
        services.AddHostedService<InformerService<BareNode, string>>();
        services.AddHostedService<InformerService<ReportMap, ArrivedReport>>();
        services.AddHostedService<IndexCompletion>();
    }

    private static void AddAnnotationWatch<TModel>(IServiceCollection services)
        where TModel : BareModel
    {
        services.AddSingleton(provider => new Informer<TModel, ModelMarks>(
            provider.GetRequiredService<IKubernetes>(),
            new InformerOptions { JitterSeed = Environment.ProcessId },
            static model => model.Marks,
            provider.GetRequiredService<AnnotationWatch>().OnModelAsync,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Informer<TModel, ModelMarks>>>()));
        services.AddHostedService<InformerService<TModel, ModelMarks>>();
    }

    private static void AddControllers(IServiceCollection services, OperatorOptions options)
    {
        // Consumers before controllers: with leader election they open the intake before the watchers fill it.
        services.AddSingleton(typeof(ITimedEntityQueue<>), typeof(KeyedEntityQueue<>));
        AddConsumer<BaseModel>(services, options);
        AddConsumer<ClusterBaseModel>(services, options);
        if (options.LeaderElect) services.AddLeaseElection();
        services.AddKubernetesOperator(settings => settings
                .WithName(OperatorName)
                .WithQueueStrategy(QueueStrategy.Custom)
                .WithReconcileStrategy(ReconcileStrategy.ByGeneration)
                .WithAutoAttachFinalizers(false)
                .WithAutoDetachFinalizers(false)
                .WithLeaderElection(options.LeaderElect ? LeaderElectionType.Single : LeaderElectionType.None)
                .WithLeaderElectionTimings(options.LeaderLease, options.LeaderLease * 2 / 3, options.LeaderLease / 6)
                .WithParallelReconciliation(parallel => parallel
                    .WithMaxParallelReconciliations(options.MaxConcurrentReconciles)
                    .WithConflictStrategy(ParallelReconciliationConflictStrategy.WaitForCompletion)
                    .WithMaxErrorRetries(int.MaxValue)))
            .AddController<BaseModelController, BaseModel>()
            .AddController<ClusterBaseModelController, ClusterBaseModel>()
            .AddFinalizer<BaseModelFinalizer, BaseModel>(OmeNames.BaseModelFinalizer)
            .AddFinalizer<ClusterBaseModelFinalizer, ClusterBaseModel>(OmeNames.ClusterBaseModelFinalizer);
    }

    private static void AddConsumer<TEntity>(IServiceCollection services, OperatorOptions options)
        where TEntity : ModelEntity
    {
        if (options.LeaderElect) services.AddHostedService<LeaderQueueConsumer<TEntity>>();
        else services.AddHostedService<QueueConsumer<TEntity>>();
    }
}
