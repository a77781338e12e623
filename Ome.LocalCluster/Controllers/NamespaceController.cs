using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Storage;
using Ome.LocalCluster.Writing;

namespace Ome.LocalCluster.Controllers;

/// <summary>Gives each namespace its default service account; empties a namespace that is being deleted, then lets it go.</summary>
internal sealed class NamespaceController(ObjectStore store, KindRegistry kinds, ObjectWriter writer)
{
    private readonly ObjectCollection _namespaces = store.Collection("namespaces");
    private readonly ConcurrentDictionary<string, bool> _terminating = new(StringComparer.Ordinal);

    public IEnumerable<Action> WorkAfter(ObjectCollection collection, StoreEvent change)
    {
        if (ReferenceEquals(collection, _namespaces))
        {
            var name = change.Key.Name;
            if (change.Old is null) yield return () => AddDefaultAccount(name);
            else if (change.New is null) _terminating.TryRemove(name, out _);
            else yield return () => Empty(name);
        }
        else if (change.New is null && _terminating.ContainsKey(change.Key.Namespace))
        {
            yield return () => Empty(change.Key.Namespace);
        }
    }

    private void AddDefaultAccount(string ns)
    {
        var accounts = kinds.Find("", "v1", "serviceaccounts")!;
        if (store.Get(accounts.Collection, new ObjectKey(ns, "default")) is not null) return;
        writer.Create(accounts, ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "default" } }, WriteOptions.Internal);
    }

    private void Empty(string ns)
    {
        if (store.Get(_namespaces, new ObjectKey("", ns)) is not { } live || !ObjectMetadata.IsDeleting(live.Parse())) return;
        _terminating[ns] = true;
        var left = false;
        foreach (var resource in kinds.All.Where(r => r is { Namespaced: true, IsStorageVersion: true }))
        {
            foreach (var item in store.List(resource.Collection).Objects.Values.Where(o => o.Key.Namespace == ns))
            {
                try
                {
                    left |= !writer.Delete(resource, item.Key, DeleteOptions.Internal).Gone;
                }
                catch (ApiException e) when (e.Reason == "NotFound")
                {
                    // Gone already.
                }
            }
        }
        if (!left) writer.Update(kinds.Find("", "v1", "namespaces")!, new ObjectKey("", ns), "finalize", Unheld, WriteOptions.Internal);
    }

    private static JsonObject Unheld(JsonObject live)
    {
        live.Child("spec").Remove("finalizers");
        return live;
    }
}
