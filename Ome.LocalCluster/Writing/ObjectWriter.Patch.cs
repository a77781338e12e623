using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Patching;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Schemas;
using Ome.LocalCluster.Storage;

namespace Ome.LocalCluster.Writing;

public sealed partial class ObjectWriter
{
    /// <summary>Patches an object, or creates it by server-side apply.</summary>
    /// <param name="resource">Kind and version of the request.</param>
    /// <param name="key">The object.</param>
    /// <param name="subresource">Null for the object itself, else <c>status</c>.</param>
    /// <param name="kind">From the request's content type.</param>
    /// <param name="patch">The body.</param>
    /// <param name="options">Query parameters.</param>
    public WriteResult Patch(ApiResource resource, ObjectKey key, string? subresource, PatchKind kind, JsonNode patch, WriteOptions options)
    {
        try
        {
            return kind == PatchKind.Apply
                ? Apply(resource, key, subresource, AsObject(patch), options)
                : Update(resource, key, subresource, live => Patched(resource, live, kind, patch), options);
        }
        catch (PatchException failure)
        {
            throw ApiException.FromPatch(failure, resource.Group, resource.Plural, key.Name);
        }
    }

    private static JsonObject Patched(ApiResource resource, JsonObject live, PatchKind kind, JsonNode patch) => kind switch
    {
        PatchKind.Json => JsonPatch.Apply(live, patch as JsonArray ?? throw ApiException.BadRequest("a JSON patch must be a list of operations")) as JsonObject
            ?? throw ApiException.BadRequest("the patch leaves no object"),
        PatchKind.Merge => MergePatch.Apply(live, AsObject(patch)),
        _ => StrategicMergePatch.Apply(live, AsObject(patch), resource.Merge),
    };

    private WriteResult Apply(ApiResource resource, ObjectKey key, string? subresource, JsonObject config, WriteOptions options)
    {
        if (!options.ManagerGiven)
            throw ApiException.Invalid("meta.k8s.io", "PatchOptions", "", [FieldError.Required("fieldManager", "is required for apply patch")]);
        CheckTypes(resource, config);
        CheckIdentity(resource, config, key.Namespace, key.Name);
        if (config.Metadata().ContainsKey("managedFields")) throw ApiException.BadRequest("metadata.managedFields must be nil");
        var warnings = Decode(resource, config, options);
        var ignored = Ignored(resource, config, subresource);
        JsonObject Applied(JsonObject? live) =>
            ServerSideApply.Apply(live, config, options.Manager, resource.GroupVersion, options.Force, subresource, Now, resource.Merge, ignored);

        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (store.Get(resource.Collection, key) is not null)
                return Update(resource, key, subresource, Applied, options, tracked: true) with { Warnings = warnings };
            if (subresource is not null) throw ApiException.NotFound(resource.Group, resource.Plural, key.Name);
            try
            {
                return Create(resource, key.Namespace, Applied(null), options, track: false) with { Warnings = warnings };
            }
            catch (ApiException e) when (e.Reason == "AlreadyExists")
            {
                // Somebody created it meanwhile: apply onto that.
            }
        }
        throw new InvalidOperationException($"{resource.QualifiedName} {key} came and went {MaxAttempts} times while it was being applied.");
    }

    private static List<string> Ignored(ApiResource resource, JsonObject config, string? subresource)
    {
        if (subresource == "status") return [.. config.Select(m => m.Key).Where(name => name is not ("status" or "metadata" or "apiVersion" or "kind"))];
        return resource.HasStatus ? ["status"] : [];
    }

    private static JsonObject AsObject(JsonNode patch) => patch as JsonObject ?? throw ApiException.BadRequest("the patch must be an object");
}

/// <summary>The four patch formats.</summary>
public enum PatchKind
{
    Json,
    Merge,
    StrategicMerge,
    Apply,
}
