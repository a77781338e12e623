using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;

namespace Ome.Shared.Kube;

/// <summary>Entity → <see cref="ModelSpec"/>: the few fields we act on. Never fails for what an API server can hold.</summary>
public static class ModelSpecReader
{
    private const string RoleKey = "type";

    /// <summary>Reads a BaseModel or ClusterBaseModel.</summary>
    public static ModelSpec Read(ModelEntity model)
    {
        var storage = model.Spec?.Storage ?? new ModelStorage();
        var urgency = model.GetAnnotation(OmeNames.StagingPriorityAnnotation);
        var isPriority = StagingOrder.TryReadPriority(urgency, out var priority);
        return new()
        {
            Key = KeyOf(model),
            Uid = model.Uid() ?? "",
            Generation = model.Metadata.Generation ?? 0,
            IsDeleting = model.Metadata.DeletionTimestamp is not null,
            StorageUri = storage.StorageUri ?? "",
            StoragePath = storage.Path,
            Parameters = Copy(storage.Parameters),
            SecretName = storage.Key is { Length: > 0 } secret ? secret : null,
            NodeSelector = Copy(storage.NodeSelector),
            RequiredTerms = storage.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms?.Select(Term).ToList(),
            DownloadPolicy = storage.DownloadPolicy == ModelStorage.DownloadPolicies.ReuseIfExists ? DownloadPolicy.ReuseIfExists : DownloadPolicy.AlwaysDownload,
            FormatName = model.Spec?.ModelFormat?.Name ?? "",
            Role = model.Spec?.AdditionalMetadata?.GetValueOrDefault(RoleKey) ?? ModelSpec.DefaultRole,
            KeepsFiles = IsTrue(model.GetLabel(OmeNames.ReserveArtifactLabel)),
            SkipsConfigParsing = IsTrue(model.GetAnnotation(OmeNames.SkipConfigParsingAnnotation)) || IsTrue(model.GetAnnotation(OmeNames.SkipConfigParsingAlias)),
            StagingPriority = priority,
            BadStagingPriority = isPriority ? null : urgency,
            Integrity = AnnotationsOf(model),
        };
    }

    /// <summary>The integrity annotations of a model object.</summary>
    public static IntegrityAnnotations AnnotationsOf(IMetadata<V1ObjectMeta> model) => new(
        model.GetAnnotation(OmeNames.IntegrityModeAnnotation),
        model.GetAnnotation(OmeNames.IntegrityIntervalAnnotation),
        model.GetAnnotation(OmeNames.IntegrityDeepMaxAgeAnnotation),
        model.GetAnnotation(OmeNames.IntegrityOnDamageAnnotation),
        model.GetAnnotation(OmeNames.VerifyNowAnnotation));

    /// <summary>The key of a model object.</summary>
    public static ModelKey KeyOf(ModelEntity model) => model is ClusterBaseModel
        ? ModelKey.Cluster(model.Name())
        : ModelKey.Namespaced(model.Namespace(), model.Name());

    /// <summary>The key of the model a check belongs to; null when the reference is not one a model can have.</summary>
    public static ModelKey? KeyOf(ModelReference reference)
    {
        try
        {
            return reference.Kind switch
            {
                ClusterBaseModel.KindName => ModelKey.Cluster(reference.Name),
                BaseModel.KindName => ModelKey.Namespaced(reference.Namespace ?? "", reference.Name),
                _ => null,
            };
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The reference a check holds to its model.</summary>
    public static ModelReference ReferenceTo(ModelSpec model) => new()
    {
        Kind = model.Key.Kind == ModelKind.ClusterBaseModel ? ClusterBaseModel.KindName : BaseModel.KindName,
        Namespace = model.Key.Kind == ModelKind.ClusterBaseModel ? null : model.Key.Namespace,
        Name = model.Key.Name,
        Uid = model.Uid,
    };

    private static NodeTerm Term(NodeSelectorTerm term) => new(Requirements(term?.MatchExpressions), Requirements(term?.MatchFields));

    private static List<NodeRequirement> Requirements(List<NodeSelectorRequirement>? requirements) =>
        [.. (requirements ?? []).Select(requirement => new NodeRequirement(requirement.Key ?? "", requirement.Operator ?? "", [.. requirement.Values ?? []]))];

    private static Dictionary<string, string> Copy(Dictionary<string, string>? pairs) => new(pairs ?? [], StringComparer.Ordinal);

    private static bool IsTrue(string? text) => string.Equals(text, "true", StringComparison.OrdinalIgnoreCase);
}
