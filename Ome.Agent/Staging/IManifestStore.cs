using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Staging;

/// <summary>Where the manifests of models are kept. A broken one reads as none: what cannot be trusted is proven again.</summary>
public interface IManifestStore
{
    /// <summary>The manifest of a model, or null. Its source identity may be that of an earlier spec.</summary>
    Task<ArtifactManifest?> LoadAsync(ModelKey key, CancellationToken cancellationToken);

    /// <summary>Replaces the model's manifest; durable when this returns. Not cancellable: it is the last step of staging.</summary>
    Task SaveAsync(ModelKey key, ArtifactManifest manifest);

    /// <summary>Forgets the model's manifest; nothing happens when there is none.</summary>
    Task DeleteAsync(ModelKey key);
}
