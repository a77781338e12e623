using System.Diagnostics.CodeAnalysis;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Staging;

/// <summary>Scheme → source, from what the container holds; a scheme nobody serves is refused with a reason that ends in the node report (W13).</summary>
public sealed class ArtifactSourceCatalog
{
    private readonly Dictionary<string, IArtifactSource> _byScheme = new(StringComparer.Ordinal);

    public ArtifactSourceCatalog(IEnumerable<IArtifactSource> sources)
    {
        foreach (var source in sources)
        {
            foreach (var scheme in source.Schemes)
            {
                if (!_byScheme.TryAdd(scheme, source)) throw new ArgumentException($"Two sources serve '{scheme}'.", nameof(sources));
            }
        }
    }

    /// <summary>Finds the source of a URI.</summary>
    public bool TryGet(StorageUri uri, [NotNullWhen(true)] out IArtifactSource? source, [NotNullWhen(false)] out StagingFailure? refusal)
    {
        refusal = _byScheme.TryGetValue(uri.Scheme, out source) ? null : new StagingFailure(StagingFailureReason.Refused, Remedy(uri));
        return refusal is null;
    }

    private string Remedy(StorageUri uri)
    {
        var served = string.Join(", ", _byScheme.Keys.Append("local://").Append("vendor://").Order(StringComparer.Ordinal));
        return uri is StorageUri.PersistentVolumeClaim
            ? "spec.storage.storageUri begins with 'pvc://': a claim is mounted by the serving pod, no node agent fetches it"
            : $"spec.storage.storageUri begins with '{uri.Scheme}', which this agent does not fetch: use one of {served}";
    }
}
