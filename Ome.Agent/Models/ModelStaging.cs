using Ome.Agent.Staging;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Metadata;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Models;

/// <summary>What the files say of a model, or why nothing is known.</summary>
public sealed record ModelDescription(ReportedConfig? Config, string? Problem);

/// <summary>A staging as the worker sees it.</summary>
/// <param name="Result">How it ended.</param>
/// <param name="Artifact">Identity and sharing of the files, for the entry; null unless staged.</param>
public sealed record ModelStaged(StagingResult Result, ReportedArtifact? Artifact);

/// <summary>Staging and removal as the worker sees them: files in, description out, files away.</summary>
public sealed class ModelStaging(ArtifactSharing sharing, ArtifactRemover remover, StagingFlow flow, ModelCatalog catalog)
{
    /// <summary>Stages a model, or (<paramref name="reconsiders"/>) decides anew whether a complete one has own files.</summary>
    public async Task<ModelStaged> StageAsync(
        ModelWish wish, string destination, ReportedArtifact? before, Action<StagingProgress> progress, CancellationToken cancellationToken, bool reconsiders = false)
    {
        flow.Enter(wish.Spec.Key);
        var request = new StagingRequest(wish.Spec, wish.Uri!, destination, catalog.Node) { Reconsiders = reconsiders };
        var staged = await sharing.StageAsync(request, before, new ProgressRelay<StagingProgress>(progress), cancellationToken);
        return new ModelStaged(staged.Result, staged.Artifact);
    }

    /// <summary>Reads the configuration; never a reason not to be Ready.</summary>
    public static ModelDescription Describe(ModelWish wish, string destination, ArtifactManifest manifest, ReportedArtifact? artifact)
    {
        if (wish.Spec.SkipsConfigParsing) return new ModelDescription(null, "left unread, as its annotation asks");
        var result = ConfigReader.Read(new DirectoryModelFiles(destination, manifest));
        return result.Metadata is { } model
            ? new ModelDescription(ReportedConfigs.Of(model, artifact ?? new ReportedArtifact()), null)
            // Who owns the files is recorded even when nothing else is known of them: removal goes by it (W15).
            : new ModelDescription(artifact is null ? null : new ReportedConfig { Artifact = artifact }, result.Reason);
    }

    /// <summary>Takes the model's files off the node, as far as nobody else needs them.</summary>
    /// <exception cref="IOException">They could not be moved aside; calling again tries again.</exception>
    public async Task RemoveAsync(ModelRecord record, ModelSpec? spec, CancellationToken cancellationToken)
    {
        sharing.Forget(record.Key);
        var uri = StorageUri.TryParse(record.StagedUri ?? record.StorageUri, out var parsed, out _) ? parsed : null;
        var request = new RemovalRequest(
            record.Key, uri, record.StoragePath.Length == 0 ? null : record.StoragePath, spec?.KeepsFiles ?? record.KeepsFiles, directory => catalog.OthersAt(record.Key, directory));
        if (await remover.RemoveAsync(request, cancellationToken) is RemovalResult.Failed { Failure: var failure }) throw new IOException(failure.Message);
    }
}
