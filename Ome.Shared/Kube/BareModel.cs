using System.Text.Json.Serialization;
using k8s;
using k8s.Models;
using KubeOps.Abstractions.Entities.Attributes;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;

namespace Ome.Shared.Kube;

/// <summary>A model of which only the metadata matters: its spec and its status, which may name thousands of nodes, are skipped.</summary>
public abstract class BareModel : IKubernetesObject<V1ObjectMeta>
{
    /// <inheritdoc/>
    [JsonPropertyName("apiVersion")]
    public string? ApiVersion { get; set; }

    /// <inheritdoc/>
    [JsonPropertyName("kind")]
    public string? Kind { get; set; }

    /// <inheritdoc/>
    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What its annotations ask for.</summary>
    public ModelMarks Marks => new(ModelSpecReader.AnnotationsOf(this), this.GetAnnotation(OmeNames.StagingPriorityAnnotation));
}

/// <summary>As <see cref="BareModel"/>.</summary>
[Ignore]
[KubernetesEntity(Group = OmeNames.Group, ApiVersion = OmeNames.Version, Kind = BaseModel.KindName, PluralName = BaseModel.Plural)]
public sealed class BareBaseModel : BareModel;

/// <summary>As <see cref="BareModel"/>.</summary>
[Ignore]
[KubernetesEntity(Group = OmeNames.Group, ApiVersion = OmeNames.Version, Kind = ClusterBaseModel.KindName, PluralName = ClusterBaseModel.Plural)]
public sealed class BareClusterBaseModel : BareModel;

/// <summary>The annotations of a model that its status speaks of.</summary>
public sealed record ModelMarks(IntegrityAnnotations Integrity, string? StagingPriority);
