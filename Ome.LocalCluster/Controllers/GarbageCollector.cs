using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Storage;
using Ome.LocalCluster.Writing;

namespace Ome.LocalCluster.Controllers;

/// <summary>Owner references: an object whose owners are all gone is deleted; foreground and orphan deletions are carried out.</summary>
internal sealed class GarbageCollector(ObjectStore store, KindRegistry kinds, ObjectWriter writer)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (ObjectCollection Collection, ObjectKey Key)> _live = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, (ObjectCollection Collection, ObjectKey Key)>> _dependents = new(StringComparer.Ordinal);

    public IReadOnlyList<Action> WorkAfter(ObjectCollection collection, StoreEvent change)
    {
        lock (_gate)
        {
            foreach (var owner in change.Old?.Owners ?? []) Detach(owner.Uid, change.Old!.Uid);
            return change.New is { } now ? AfterWrite_NeedsLock(collection, now) : AfterRemoval_NeedsLock(change.Old!);
        }
    }

    private List<Action> AfterWrite_NeedsLock(ObjectCollection collection, StoredObject now)
    {
        var work = new List<Action>();
        _live[now.Uid] = (collection, now.Key);
        foreach (var owner in now.Owners) DependentsOf(owner.Uid)[now.Uid] = (collection, now.Key);
        if (now.Owners.Count > 0) work.Add(() => Judge(collection, now.Key));
        if (HoldsForCollector(now)) work.Add(() => Release(collection, now.Key));
        return work;
    }

    private List<Action> AfterRemoval_NeedsLock(StoredObject gone)
    {
        var work = new List<Action>();
        _live.Remove(gone.Uid);
        foreach (var (collection, key) in _dependents.GetValueOrDefault(gone.Uid)?.Values ?? Enumerable.Empty<(ObjectCollection, ObjectKey)>())
            work.Add(() => Judge(collection, key));
        foreach (var owner in gone.Owners)
        {
            if (_live.TryGetValue(owner.Uid, out var waiting)) work.Add(() => Release(waiting.Collection, waiting.Key));
        }
        return work;
    }

    private void Detach(string owner, string dependent)
    {
        if (_dependents.TryGetValue(owner, out var dependents) && dependents.Remove(dependent) && dependents.Count == 0) _dependents.Remove(owner);
    }

    // Cheap look at the bytes: nearly no object carries one of the two finalizers.
    private static bool HoldsForCollector(StoredObject item) => item.Json.AsSpan().IndexOf("\"foregroundDeletion\""u8) >= 0 || item.Json.AsSpan().IndexOf("\"orphan\""u8) >= 0;

    private void Judge(ObjectCollection collection, ObjectKey key)
    {
        if (store.Get(collection, key) is not { Owners.Count: > 0 } item || ResourceOf(collection) is not { } resource) return;
        var absent = item.Owners.Where(owner => !IsLive(owner.Uid)).Select(owner => owner.Uid).ToHashSet(StringComparer.Ordinal);
        if (absent.Count == 0) return;
        if (absent.Count == item.Owners.Count) writer.Delete(resource, key, DeleteOptions.Internal with { Uid = item.Uid });
        else writer.Update(resource, key, null, live => WithoutOwners(live, absent), WriteOptions.Internal);
    }

    /// <summary>Carries out what a foreground or orphan deletion waits for, and lets the object go when it is done.</summary>
    private void Release(ObjectCollection collection, ObjectKey key)
    {
        if (store.Get(collection, key) is not { } item || ResourceOf(collection) is not { } resource) return;
        var tree = item.Parse();
        if (!ObjectMetadata.IsDeleting(tree)) return;
        var finalizers = ObjectMetadata.Finalizers(tree);
        var dependents = Dependents(item.Uid);
        if (finalizers.Contains(ObjectWriter.OrphanFinalizer))
        {
            foreach (var (dependent, dependentKey) in dependents)
                writer.Update(ResourceOf(dependent)!, dependentKey, null, live => WithoutOwners(live, [item.Uid]), WriteOptions.Internal);
            writer.Update(resource, key, null, live => CrdController.Unheld(live, ObjectWriter.OrphanFinalizer), WriteOptions.Internal);
        }
        else if (finalizers.Contains(ObjectWriter.ForegroundFinalizer))
        {
            if (dependents.Count == 0) writer.Update(resource, key, null, live => CrdController.Unheld(live, ObjectWriter.ForegroundFinalizer), WriteOptions.Internal);
            foreach (var (dependent, dependentKey) in dependents) writer.Delete(ResourceOf(dependent)!, dependentKey, DeleteOptions.Internal);
        }
    }

    private static JsonObject WithoutOwners(JsonObject live, HashSet<string> uids)
    {
        var kept = live.Metadata().List("ownerReferences")!.OfType<JsonObject>().Where(owner => !uids.Contains(owner.Text("uid") ?? "")).Select(owner => (JsonNode)owner.DeepClone());
        live.Metadata()["ownerReferences"] = new JsonArray([.. kept]);
        return live;
    }

    private bool IsLive(string uid)
    {
        lock (_gate) return _live.ContainsKey(uid);
    }

    private List<(ObjectCollection Collection, ObjectKey Key)> Dependents(string uid)
    {
        lock (_gate) return [.. _dependents.GetValueOrDefault(uid)?.Values ?? Enumerable.Empty<(ObjectCollection, ObjectKey)>()];
    }

    private Dictionary<string, (ObjectCollection Collection, ObjectKey Key)> DependentsOf(string uid)
    {
        if (!_dependents.TryGetValue(uid, out var dependents)) _dependents[uid] = dependents = new(StringComparer.Ordinal);
        return dependents;
    }

    private ApiResource? ResourceOf(ObjectCollection collection) => kinds.All.FirstOrDefault(r => r.IsStorageVersion && ReferenceEquals(r.Collection, collection));
}
