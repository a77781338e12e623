using k8s;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Events;
using KubeOps.Operator;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Ome.Agent.Integrity;
using Ome.Agent.Models;
using Ome.Agent.Publishing;
using Ome.Agent.Staging;
using Ome.Agent.Staging.Oci;
using Ome.Agent.Staging.S3;
using Ome.Agent.Verification;
using Ome.Agent.Verification.Reading;
using Ome.Agent.Watching;
using Ome.Shared;
using Ome.Shared.Api;
using Ome.Shared.Domain.Models;
using Ome.Shared.Kube;
using Prometheus;

namespace Ome.Agent.Hosting;

/// <summary>The wiring of the agent, and nothing else.</summary>
public static class AgentServices
{
    public static IServiceCollection AddAgent(this IServiceCollection services, AgentOptions options)
    {
        ApiJson.Register();
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.TryAddSingleton<IKubernetes>(provider => new Kubernetes(provider.GetRequiredService<KubernetesClientConfiguration>()));
        return services.AddState(options).AddReading(options).AddFiles(options).AddReports(options).AddLoops(options);
    }

    /// <summary>An own registry, without the event counters of the default one: they wake up every few seconds for nobody.</summary>
    private static void AddMetrics(this IServiceCollection services)
    {
        var registry = Metrics.NewCustomRegistry();
        DotNetStats.Register(registry);
        var metrics = Metrics.WithCustomRegistry(registry);
        metrics.AddBuildInfo(BuildInfo.Current);
        services.AddSingleton(registry)
            .AddSingleton<IMetricFactory>(metrics)
            .AddSingleton<AgentMetrics>()
            .AddSingleton<StagingMetrics>()
            .AddSingleton<NodeGauges>()
            .AddSingleton<IIntegrityObserver>(provider => provider.GetRequiredService<AgentMetrics>())
            .AddSingleton<IStagingObserver>(provider => provider.GetRequiredService<StagingMetrics>());
    }

    private static IServiceCollection AddState(this IServiceCollection services, AgentOptions options) => services
        .AddSingleton(new RunMarker(options.EffectiveStateDirectory))
        .AddSingleton(provider => new ModelRecordStore(options.EffectiveStateDirectory, provider.GetRequiredService<ILogger<ModelRecordStore>>()))
        .AddSingleton<ManifestStore>()
        .AddSingleton(new ModelCatalog(new DestinationRule(options.ModelsRoot, options.LocalRoots), new NodeFacts { Name = options.NodeName }))
        .AddSingleton<ModelQueue>()
        .AddSingleton(provider => new StagingTurns(options.DownloadWorkers, key => provider.GetRequiredService<ModelCatalog>().Spec(key)?.StagingPriority ?? 0))
        .AddSingleton<ModelGates>();

    private static IServiceCollection AddReading(this IServiceCollection services, AgentOptions options)
    {
        services.TryAddSingleton(provider =>
        {
            var engine = new ReadEngine(
                new ReadEngineOptions { Workers = options.IntegrityWorkers }, provider.GetRequiredService<IoBudget>(),
                provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<ReadEngine>>());
            // Said in the log from the start, also where the number of readers does not depend on it: a CPU without SHA instructions.
            _ = engine.Calibration;
            return engine;
        });
        return services
            .AddSingleton(provider => new IoBudget(options.IntegrityBytesPerSecond, provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<VerificationRunner>()
            .AddSingleton<RunningChecks>()
            .AddSingleton<ManifestBuilder>()
            .AddSingleton<LocalBaseline>();
    }

    private static IServiceCollection AddFiles(this IServiceCollection services, AgentOptions options)
    {
        services.AddStaging();
        services.AddOciSource(options.Shapes);
        services.AddS3Source();
        services.Configure<OciOptions>(oci => oci.AgentNamespace = options.Namespace);
        services.Configure<S3Options>(s3 => s3.AgentNamespace = options.Namespace);
        services.Configure<StagingOptions>(staging =>
        {
            staging.ParallelFiles = options.Concurrency;
            staging.ConnectionsPerFile = Math.Min(options.MultipartConcurrency, 16);
            staging.BytesPerSecond = options.DownloadBytesPerSecond;
            staging.FreeSpaceReserve = options.FreeSpaceReserve;
            staging.SettleDelay = options.SettleDelay;
        });
        services.Configure<HuggingFaceOptions>(hub =>
        {
            if (options.HubEndpoint.Length > 0) hub.Endpoint = options.HubEndpoint.TrimEnd('/');
            hub.Token = Secret.From(options.HubToken);
            hub.AgentNamespace = options.Namespace;
        });
        return services
            .AddSingleton(new StagingLayout(options.ModelsRoot))
            .AddSingleton<IManifestStore>(provider => provider.GetRequiredService<ManifestStore>())
            .AddSingleton<IStructureReader, StructureReader>()
            .AddSingleton<ISecretReader, KubernetesSecretReader>()
            .AddSingleton<ModelStaging>()
            .AddSingleton<ModelRepair>()
            .AddSingleton<IArtifactRecords, ArtifactRecords>();
    }

    private static IServiceCollection AddReports(this IServiceCollection services, AgentOptions options) => services
        .AddSingleton(provider => new NodeLabelSink(provider.GetRequiredService<IKubernetes>(), options.NodeName, options.WriteRetry))
        .AddSingleton(provider => new ConfigMapSink(provider.GetRequiredService<IKubernetes>(), options.Namespace, options.NodeName, options.WriteRetry))
        .AddSingleton(provider => new CheckSink(provider.GetRequiredService<IKubernetes>()))
        .AddSingleton<ModelEventSink>()
        .AddSingleton<AnnotationAdvice>()
        .AddSingleton(new Publications(options.NodeName))
        .AddSingleton<NodeReportView>()
        .AddSingleton<ReportPublisher>()
        .AddSingleton(provider => new NodeConditionSink(
            provider.GetRequiredService<IKubernetes>(), provider.GetRequiredService<EventPublisher>(), options.NodeName, provider.GetRequiredService<TimeProvider>()))
        .AddSingleton<StorageWatch>()
        .AddSingleton(provider => new FleetChecks(provider.GetRequiredService<IKubernetes>()))
        .AddSingleton<FleetBrake>()
        .AddSingleton<IntegrityService>()
        .AddSingleton<ModelWorker>()
        .AddSingleton<ModelInbox>();

    private static IServiceCollection AddLoops(this IServiceCollection services, AgentOptions options)
    {
        services.AddHostedService(provider =>
        {
            // Nobody else asks for it: it answers when the metrics are read.
            _ = provider.GetRequiredService<NodeGauges>();
            return provider.GetRequiredService<RunMarker>();
        });
        services.AddHostedService<BootSchedule>();
        services.AddHostedService<PublishingLoop>();
        services.AddHostedService(provider => provider.GetRequiredService<ModelInbox>());
        services.AddHostedService<ModelLoop>();
        services.AddHostedService<IntegrityKeeper>();
        services.AddHostedService(provider => provider.GetRequiredService<StorageWatch>());
        services.AddHostedService(provider => provider.GetRequiredService<LocalBaseline>());
        services.TryAddSingleton<Func<IKernelEvents>>(Inotify.Open);
        if (options.Watch) services.AddHostedService<ModelWatch>();
        services.AddSingleton<IPlannedRuns<ModelIntegrityCheck>, PlannedChecks>();
        services.AddKubernetesOperator(settings => settings.WithName("ome-agent").WithKeyedQueue())
            .AddQueuedController<ModelIntegrityCheckController, ModelIntegrityCheck, OwnChecksSelector>();
        return services;
    }
}
