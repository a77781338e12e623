using k8s.Models;
using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Entities.Attributes;
using Ome.Shared.Domain;

namespace Ome.Shared.Api;

/// <summary>A model of the whole cluster (contract 1.1).</summary>
[KubernetesEntity(Group = OmeNames.Group, ApiVersion = OmeNames.Version, Kind = KindName, PluralName = Plural)]
[EntityScope(EntityScope.Cluster)]
[Description("ClusterBaseModel is a model whose files are kept, and kept intact, on the nodes that can serve it. Every namespace may use it.")]
public sealed class ClusterBaseModel : ModelEntity
{
    /// <summary>The kind.</summary>
    public const string KindName = "ClusterBaseModel";

    /// <summary>The plural of the URL.</summary>
    public const string Plural = "clusterbasemodels";

    /// <summary>An empty object that knows its kind.</summary>
    public ClusterBaseModel() => (ApiVersion, Kind) = (OmeNames.Group + "/" + OmeNames.Version, KindName);
}
