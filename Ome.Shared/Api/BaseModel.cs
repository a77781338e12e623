using k8s.Models;
using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Entities.Attributes;
using Ome.Shared.Domain;

namespace Ome.Shared.Api;

/// <summary>A model of one namespace (contract 1.1).</summary>
[KubernetesEntity(Group = OmeNames.Group, ApiVersion = OmeNames.Version, Kind = KindName, PluralName = Plural)]
[EntityScope(EntityScope.Namespaced)]
[Description("BaseModel is a model whose files are kept, and kept intact, on the nodes that can serve it. It belongs to one namespace.")]
public sealed class BaseModel : ModelEntity
{
    /// <summary>The kind.</summary>
    public const string KindName = "BaseModel";

    /// <summary>The plural of the URL.</summary>
    public const string Plural = "basemodels";

    /// <summary>An empty object that knows its kind.</summary>
    public BaseModel() => (ApiVersion, Kind) = (OmeNames.Group + "/" + OmeNames.Version, KindName);
}
