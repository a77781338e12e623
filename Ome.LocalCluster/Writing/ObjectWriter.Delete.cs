using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Storage;

namespace Ome.LocalCluster.Writing;

public sealed partial class ObjectWriter
{
    public const string CrdCleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";
    public const string ForegroundFinalizer = "foregroundDeletion";
    public const string OrphanFinalizer = "orphan";

    /// <summary>Deletes an object, or marks it while finalizers hold it.</summary>
    /// <returns>The object when it is still there, else its last version and <c>Gone</c>.</returns>
    /// <exception cref="ApiException">404, or 409 for a precondition.</exception>
    public (JsonObject Tree, bool Gone) Delete(ApiResource resource, ObjectKey key, DeleteOptions options)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var current = store.Get(resource.Collection, key) ?? throw ApiException.NotFound(resource.Group, resource.Plural, key.Name);
            CheckPreconditions(resource, current, options);
            var tree = current.Parse();
            var wasDeleting = ObjectMetadata.IsDeleting(tree);
            AddHolders(resource, tree, options, wasDeleting);
            if (ObjectMetadata.Finalizers(tree).Count == 0 && !HeldBySpec(resource, tree))
            {
                if (!options.DryRun)
                {
                    if (store.TryRemove(resource.Collection, current) is null) continue;
                    Written?.Invoke(resource, key);
                }
                return (Served(resource, tree), true);
            }
            if (wasDeleting || options.DryRun) return (Served(resource, tree), false);
            MarkDeleting(resource, tree);
            if (store.TryPut(resource.Collection, key, current, tree) is null) continue;
            Written?.Invoke(resource, key);
            return (Served(resource, tree), false);
        }
        throw new InvalidOperationException($"{resource.QualifiedName} {key} changed {MaxAttempts} times while it was being deleted.");
    }

    private static void CheckPreconditions(ApiResource resource, StoredObject current, DeleteOptions options)
    {
        if (options.Uid is { } uid && uid != current.Uid)
            throw ApiException.Conflict(resource.Group, resource.Plural, current.Key.Name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {current.Uid}");
        var revision = Revisions.Format(current.Revision);
        if (options.ResourceVersion is { } version && version != revision)
            throw ApiException.Conflict(resource.Group, resource.Plural, current.Key.Name, $"Precondition failed: ResourceVersion in precondition: {version}, ResourceVersion in object meta: {revision}");
    }

    // What the background controllers have to do first holds the object like any other finalizer.
    private static void AddHolders(ApiResource resource, JsonObject tree, DeleteOptions options, bool wasDeleting)
    {
        if (wasDeleting) return;
        string? holder = (resource.Plural, options.Propagation) switch
        {
            ("customresourcedefinitions", _) => CrdCleanupFinalizer,
            (_, DeleteOptions.Foreground) => ForegroundFinalizer,
            (_, DeleteOptions.Orphan) => OrphanFinalizer,
            _ => null,
        };
        if (holder is null || ObjectMetadata.Finalizers(tree).Contains(holder)) return;
        var metadata = tree.Metadata();
        if (metadata.List("finalizers") is not { } list) metadata["finalizers"] = list = [];
        list.Add((JsonNode)holder);
    }

    private void MarkDeleting(ApiResource resource, JsonObject tree)
    {
        var metadata = tree.Metadata();
        metadata["deletionTimestamp"] = ObjectMetadata.Timestamp(Now);
        metadata["deletionGracePeriodSeconds"] = 0;
        if (metadata.Integer("generation") is { } generation and > 0) metadata["generation"] = generation + 1;
        if (resource is { Group: "", Plural: "namespaces" }) tree.Child("status")["phase"] = "Terminating";
    }
}
