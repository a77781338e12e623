using Ome.Agent.Staging;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Metadata;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Models;

/// <summary>What the files say of a model, or why nothing is known.</summary>
public sealed record ModelDescription(ReportedConfig? Config, string? Problem);

/// <summary>Staging as the worker sees it: files in, description out.</summary>
public sealed class ModelStaging(ArtifactStager stager, ModelCatalog catalog)
{
    public Task<StagingResult> StageAsync(ModelWish wish, string destination, Action<StagingProgress> progress, CancellationToken cancellationToken) =>
        stager.StageAsync(new StagingRequest(wish.Spec, wish.Uri!, destination, catalog.Node), new ProgressRelay<StagingProgress>(progress), cancellationToken);

    /// <summary>Reads the configuration; never a reason not to be Ready.</summary>
    public ModelDescription Describe(ModelWish wish, string destination, ArtifactManifest manifest)
    {
        if (wish.Spec.SkipsConfigParsing) return new ModelDescription(null, "left unread, as its annotation asks");
        var result = ConfigReader.Read(new DirectoryModelFiles(destination, manifest));
        if (result.Metadata is not { } model) return new ModelDescription(null, result.Reason);
        var artifact = wish.Uri is StorageUri.HuggingFace
            ? new ReportedArtifact
            {
                Sha = manifest.Source.Revision ?? "",
                ParentPath = new Dictionary<string, string> { [wish.Spec.Key.DataKey] = destination },
                ChildrenPaths = [],
            }
            : new ReportedArtifact();
        return new ModelDescription(ReportedConfigs.Of(model, artifact), null);
    }
}
