using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Schemas;
using Ome.LocalCluster.Storage;

namespace Ome.LocalCluster.Writing;

public sealed partial class ObjectWriter
{
    /// <summary>Changes an existing object, again from the newest version when another writer was faster.</summary>
    /// <param name="resource">Kind and version of the request.</param>
    /// <param name="key">The object.</param>
    /// <param name="subresource">Null for the object itself, else <c>status</c> or <c>finalize</c>.</param>
    /// <param name="change">Gets a fresh tree of the current version and gives the wanted one.</param>
    /// <param name="options">Query parameters.</param>
    /// <param name="tracked">True when <paramref name="change"/> already keeps managedFields (server-side apply).</param>
    /// <exception cref="ApiException">404, 409 for another resourceVersion or uid, 400/422 for a bad object.</exception>
    public WriteResult Update(
        ApiResource resource, ObjectKey key, string? subresource, Func<JsonObject, JsonObject> change, WriteOptions options, bool tracked = false)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var current = store.Get(resource.Collection, key) ?? throw ApiException.NotFound(resource.Group, resource.Plural, key.Name);
            var desired = change(resource.Read(current));
            CheckTypes(resource, desired);
            CheckIdentity(resource, desired, key.Namespace, key.Name);
            CheckPreconditions(resource, current, desired.Metadata());
            var warnings = Decode(resource, desired, options);
            var item = Merge(resource, current, desired, subresource, options, tracked);
            warnings.AddRange(resource.Rules.Warnings(item));
            if (TryStore(resource, current, item, options)) return new WriteResult(Served(resource, item), false, warnings);
        }
        throw new InvalidOperationException($"{resource.QualifiedName} {key} changed {MaxAttempts} times while it was being written.");
    }

    private static JsonObject Served(ApiResource resource, JsonObject item)
    {
        resource.FromStorage?.Invoke(item);
        return item;
    }

    private static void CheckPreconditions(ApiResource resource, StoredObject current, JsonObject metadata)
    {
        if (metadata.Text("resourceVersion") is { Length: > 0 } version)
        {
            if (version != Revisions.Format(current.Revision))
                throw ApiException.Conflict(resource.Group, resource.Plural, current.Key.Name, "the object has been modified; please apply your changes to the latest version and try again");
        }
        else if (!resource.Rules.AllowsUnconditionalUpdate)
        {
            throw ApiException.Invalid(resource.Group, resource.IsCustom ? resource.Plural : resource.Kind, current.Key.Name, [FieldError.Invalid("metadata.resourceVersion", "0x0", "must be specified for an update")]);
        }
        if (metadata.Text("uid") is { Length: > 0 } uid && uid != current.Uid)
            throw ApiException.Conflict(resource.Group, resource.Plural, current.Key.Name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {current.Uid}");
    }

    /// <summary>The wanted object with everything put back that this endpoint may not change, checked, in storage form.</summary>
    private JsonObject Merge(ApiResource resource, StoredObject current, JsonObject desired, string? subresource, WriteOptions options, bool tracked)
    {
        var old = current.Parse();
        resource.ToStorage?.Invoke(desired);
        var item = subresource switch
        {
            "status" => OnlyStatus(old, desired),
            "finalize" => OnlyFinalizers(old, desired),
            _ => desired,
        };
        if (subresource is null && resource.HasStatus) item.Put("status", old["status"]);
        ObjectMetadata.CarryOver(item.Metadata(), old.Metadata());
        resource.Rules.Default(item);
        if (resource.Rules.IsNewGeneration(item, old)) item.Metadata()["generation"] = (old.Metadata().Integer("generation") ?? 0) + 1;
        Validate(resource, item, old);
        if (!tracked) Track(resource, old, item, options, subresource);
        return item;
    }

    // Everything of the old object but the status; ownership of fields moves with it.
    private static JsonObject OnlyStatus(JsonObject old, JsonObject desired)
    {
        var item = old.DeepClone().AsObject();
        item.Put("status", desired["status"]);
        item.Metadata().Put("managedFields", desired.Metadata()["managedFields"]);
        return item;
    }

    private static JsonObject OnlyFinalizers(JsonObject old, JsonObject desired)
    {
        var item = old.DeepClone().AsObject();
        item.Child("spec").Put("finalizers", desired.Child("spec")["finalizers"]);
        return item;
    }

    /// <summary>Stores the item; a change of nothing stores nothing, and the last finalizer to leave a deleted object takes it along.</summary>
    private bool TryStore(ApiResource resource, StoredObject current, JsonObject item, WriteOptions options)
    {
        if (options.DryRun || JsonNode.DeepEquals(item, current.Parse())) return true;
        var gone = ObjectMetadata.IsDeleting(item) && ObjectMetadata.Finalizers(item).Count == 0 && !HeldBySpec(resource, item);
        var stored = gone
            ? store.TryRemove(resource.Collection, current, item)
            : store.TryPut(resource.Collection, current.Key, current, item);
        if (stored is null) return false;
        Written?.Invoke(resource, current.Key);
        return true;
    }

    private static bool HeldBySpec(ApiResource resource, JsonObject item) =>
        resource is { Group: "", Plural: "namespaces" } && item.Map("spec")?.Texts("finalizers").Count > 0;
}
