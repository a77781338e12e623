using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;

namespace Ome.Operator.Reconciling;

/// <summary>
/// The writes on a model: merge patches of exactly what is meant, bound to the version that was read. A model that changed meanwhile answers 409
/// (<see cref="k8s.Autorest.HttpOperationException"/>) and is read anew by the caller: nobody's change is lost, and a leader that lost its
/// lease cannot overwrite its successor.
/// </summary>
public sealed class ModelPatcher(IKubernetes client)
{
    /// <summary>Patches spec or metadata; gives the object as stored.</summary>
    public async Task<TEntity> PatchAsync<TEntity>(TEntity model, JsonObject change, CancellationToken cancellationToken)
        where TEntity : ModelEntity => model is ClusterBaseModel
        ? await client.CustomObjects.PatchClusterCustomObjectAsync<TEntity>(
            Body(model, change), OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, model.Name(), cancellationToken: cancellationToken)
        : await client.CustomObjects.PatchNamespacedCustomObjectAsync<TEntity>(
            Body(model, change), OmeNames.Group, OmeNames.Version, model.Namespace(), BaseModel.Plural, model.Name(), cancellationToken: cancellationToken);

    /// <summary>Patches the status; gives the object as stored, which may lack what the CRD prunes.</summary>
    public async Task<TEntity> PatchStatusAsync<TEntity>(TEntity model, JsonObject status, CancellationToken cancellationToken)
        where TEntity : ModelEntity => model is ClusterBaseModel
        ? await client.CustomObjects.PatchClusterCustomObjectStatusAsync<TEntity>(
            Body(model, new JsonObject { ["status"] = status }), OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, model.Name(), cancellationToken: cancellationToken)
        : await client.CustomObjects.PatchNamespacedCustomObjectStatusAsync<TEntity>(
            Body(model, new JsonObject { ["status"] = status }), OmeNames.Group, OmeNames.Version, model.Namespace(), BaseModel.Plural, model.Name(), cancellationToken: cancellationToken);

    /// <summary>Adds a finalizer beside those of others.</summary>
    public Task<TEntity> AddFinalizerAsync<TEntity>(TEntity model, string finalizer, CancellationToken cancellationToken)
        where TEntity : ModelEntity => PatchAsync(model, Finalizers([.. model.Finalizers() ?? [], finalizer]), cancellationToken);

    /// <summary>Removes a finalizer and leaves those of others.</summary>
    public Task<TEntity> RemoveFinalizerAsync<TEntity>(TEntity model, string finalizer, CancellationToken cancellationToken)
        where TEntity : ModelEntity => PatchAsync(model, Finalizers([.. (model.Finalizers() ?? []).Where(other => other != finalizer)]), cancellationToken);

    private static JsonObject Finalizers(IReadOnlyList<string> finalizers) =>
        new() { ["metadata"] = new JsonObject { ["finalizers"] = new JsonArray([.. finalizers.Select(static one => (JsonNode?)one)]) } };

    private static V1Patch Body(ModelEntity model, JsonObject change)
    {
        if (change["metadata"] is not JsonObject metadata) change["metadata"] = metadata = [];
        metadata["resourceVersion"] = model.ResourceVersion();
        metadata["uid"] = model.Uid();
        return new V1Patch(change.ToJsonString(), V1Patch.PatchType.MergePatch);
    }
}
