using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;

namespace Ome.Agent.Publishing;

/// <summary>This node's ModelIntegrityChecks (design 5): created with the Node as owner, changed by merge patches, never rewritten whole.</summary>
public sealed class CheckSink(IKubernetes client)
{
    /// <summary>Brings the object to the wanted spec and status. <c>spec.requestedAt</c> belongs to whoever asks for a check and is left alone.</summary>
    /// <exception cref="HttpOperationException">The API server refused; a missing CRD (404 on create) is one of the reasons.</exception>
    public async Task ApplyAsync(ModelIntegrityCheck wanted, CancellationToken cancellationToken)
    {
        var name = wanted.Metadata.Name;
        var present = await FindAsync(name, cancellationToken);
        if (present is not null && present.Spec.ModelRef.Uid != wanted.Spec.ModelRef.Uid)
        {
            // Another life of the model: its reference cannot change, so the object is made anew.
            await DeleteAsync(name, cancellationToken);
            present = null;
        }

        if (present is null)
        {
            present = await CreateAsync(wanted, cancellationToken);
        }
        else if (Diff(present.Spec, wanted.Spec, "requestedAt") is { } spec)
        {
            present = await PatchAsync(name, new JsonObject { ["spec"] = spec }, status: false, cancellationToken);
        }

        wanted.Status.ObservedGeneration = present.Metadata.Generation;
        if (Diff(present.Status, wanted.Status) is { } status) await PatchAsync(name, new JsonObject { ["status"] = status }, status: true, cancellationToken);
    }

    public async Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await client.CustomObjects.DeleteClusterCustomObjectAsync(OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, name, cancellationToken: cancellationToken);
        }
        catch (HttpOperationException gone) when (gone.Response.StatusCode == HttpStatusCode.NotFound)
        {
        }
    }

    public async Task<ModelIntegrityCheck?> FindAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await client.CustomObjects.GetClusterCustomObjectAsync<ModelIntegrityCheck>(
                OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, name, cancellationToken);
        }
        catch (HttpOperationException absent) when (absent.Response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    private Task<ModelIntegrityCheck> CreateAsync(ModelIntegrityCheck wanted, CancellationToken cancellationToken) =>
        client.CustomObjects.CreateClusterCustomObjectAsync<ModelIntegrityCheck>(
            wanted, OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, cancellationToken: cancellationToken);

    private Task<ModelIntegrityCheck> PatchAsync(string name, JsonObject body, bool status, CancellationToken cancellationToken)
    {
        var patch = new V1Patch(body.ToJsonString(), V1Patch.PatchType.MergePatch);
        return status
            ? client.CustomObjects.PatchClusterCustomObjectStatusAsync<ModelIntegrityCheck>(patch, OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, name, cancellationToken: cancellationToken)
            : client.CustomObjects.PatchClusterCustomObjectAsync<ModelIntegrityCheck>(patch, OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, name, cancellationToken: cancellationToken);
    }

    /// <summary>The members that differ, with null for those to remove; null when all agree. Members in <paramref name="theirs"/> are not ours to change.</summary>
    private static JsonObject? Diff<TPart>(TPart? present, TPart wanted, params ReadOnlySpan<string> theirs)
    {
        var (before, after) = (ToObject(present), ToObject(wanted));
        var diff = new JsonObject();
        foreach (var name in before.Select(pair => pair.Key).Union(after.Select(pair => pair.Key)).ToList())
        {
            if (theirs.Contains(name) || JsonNode.DeepEquals(before[name], after[name])) continue;
            diff[name] = after[name]?.DeepClone();
        }

        return diff.Count == 0 ? null : diff;
    }

    private static JsonObject ToObject<TPart>(TPart? part) =>
        part is null ? [] : JsonNode.Parse(KubernetesJson.Serialize(part)) as JsonObject ?? throw new JsonException("not an object");
}
