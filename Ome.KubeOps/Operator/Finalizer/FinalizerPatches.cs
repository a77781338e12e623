using System.Text.Json;
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
        object metadata = new { resourceVersion = entity.Metadata.ResourceVersion, finalizers = finalizers.Append(identifier) };
        var patch = new V1Patch(JsonSerializer.Serialize(new { metadata }), V1Patch.PatchType.MergePatch);
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
        object[] operations = [new { op = "test", path, value = identifier }, new { op = "remove", path }];
        var patch = new V1Patch(JsonSerializer.Serialize(operations), V1Patch.PatchType.JsonPatch);
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
