using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeOps.KubernetesClient;

namespace KubeOps.Operator.Finalizer;

/// <summary>Adds and removes finalizers by patches that touch nothing else and fail when the list changed meanwhile.</summary>
internal static class FinalizerPatches
{
    /// <summary>Adds the finalizer; no request when it is there.</summary>
    internal static async Task<TEntity> AttachFinalizerAsync<TEntity>(
        this IKubernetesClient client, TEntity entity, string identifier, CancellationToken cancellationToken)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var finalizers = entity.Metadata.Finalizers ?? [];
        if (finalizers.Contains(identifier)) return entity;
        var longer = new JsonArray([.. finalizers.Append(identifier).Select(static name => JsonValue.Create(name))]);
        var body = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = entity.Metadata.ResourceVersion, ["finalizers"] = longer } };
        var patch = new V1Patch(body.ToJsonString(), V1Patch.PatchType.MergePatch);
        return await client.PatchAsync<TEntity>(patch, entity.Name(), entity.Namespace(), cancellationToken: cancellationToken);
    }

    /// <summary>Removes the finalizer; an object that is gone already is fine.</summary>
    internal static async Task<TEntity> DetachFinalizerAsync<TEntity>(
        this IKubernetesClient client, TEntity entity, string identifier, CancellationToken cancellationToken)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var index = entity.Metadata.Finalizers?.IndexOf(identifier) ?? -1;
        if (index < 0) return entity;
        var path = $"/metadata/finalizers/{index}";
        var operations = new JsonArray(new JsonObject { ["op"] = "test", ["path"] = path, ["value"] = identifier }, new JsonObject { ["op"] = "remove", ["path"] = path });
        var patch = new V1Patch(operations.ToJsonString(), V1Patch.PatchType.JsonPatch);
        try
        {
            return await client.PatchAsync<TEntity>(patch, entity.Name(), entity.Namespace(), cancellationToken: cancellationToken);
        }
        catch (HttpOperationException gone) when (gone.Response.StatusCode is System.Net.HttpStatusCode.NotFound)
        {
            return entity;
        }
    }
}
