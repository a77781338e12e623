using Microsoft.Extensions.DependencyInjection.Extensions;
using Ome.Agent.Repair;

namespace Ome.Agent.Staging;

/// <summary>Wiring of staging. The container also holds an <see cref="IManifestStore"/>, an <see cref="ISecretReader"/>, an <see cref="IArtifactRecords"/> and a <see cref="StagingLayout"/>.</summary>
public static class StagingServices
{
    /// <summary>Adds the stager, sharing, removal, repair, the catalog and the Hugging Face source; other sources add themselves as <see cref="IArtifactSource"/>.</summary>
    public static IServiceCollection AddStaging(this IServiceCollection services)
    {
        services.AddCheckedOptions<StagingOptions, StagingOptionsRules>();
        services.AddCheckedOptions<HuggingFaceOptions, HuggingFaceOptionsRules>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<StagingFlow>();
        services.AddSingleton<StagingDisk>();
        services.AddSingleton<HuggingFaceToken>();
        services.AddSingleton<HubClient>();
        services.AddSingleton<IArtifactSource, HuggingFaceSource>();
        services.AddSingleton<ArtifactSourceCatalog>();
        services.AddSingleton<ArtifactStager>();
        services.AddSingleton<Trash>();
        services.AddSingleton<ArtifactSharing>();
        services.AddSingleton<ArtifactRemover>();
        services.AddCheckedOptions<RepairOptions, RepairOptionsRules>();
        services.AddSingleton<Quarantine>();
        services.AddSingleton<RepairWorker>();
        services.AddHostedService<TrashCollector>();
        services.AddSourceClient<HuggingFaceOptions>(HubClient.ClientName);
        return services;
    }
}
