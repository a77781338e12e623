using System.Text.Json.Nodes;
using Ome.LocalCluster.Schemas;

namespace Ome.LocalCluster.Patching;

/// <summary>Server-side apply and the field ownership (<c>metadata.managedFields</c>) it needs.</summary>
public static class ServerSideApply
{
    // Set by the server or part of the address: nobody owns them.
    private static readonly FieldSet Unowned = FieldSet.FromJson(JsonNode.Parse("""
        {"f:apiVersion":{},"f:kind":{},"f:metadata":{".":{},"f:name":{},"f:namespace":{},"f:creationTimestamp":{},"f:selfLink":{},"f:uid":{},
         "f:generation":{},"f:managedFields":{},"f:resourceVersion":{}}}
        """)!.AsObject());

    /// <summary>Applies a configuration. The result carries the new <c>managedFields</c>; neither argument is changed.</summary>
    /// <param name="live">The stored object; null when it does not exist yet.</param>
    /// <param name="config">What the manager wants, with apiVersion, kind and metadata.name.</param>
    /// <param name="manager">Field manager; never empty.</param>
    /// <param name="apiVersion">The version the request came in.</param>
    /// <param name="force">Take over fields of other managers instead of refusing.</param>
    /// <param name="subresource">e.g. <c>status</c>; null for the object itself.</param>
    /// <param name="now">Time written into changed entries, cut to seconds.</param>
    /// <param name="schema">Merge rules of the kind.</param>
    /// <param name="ignored">Top-level members the endpoint does not write (<c>status</c> on the object itself, <c>spec</c> on its status).</param>
    /// <exception cref="PatchException"><c>Conflict</c> with one cause per field, or <c>InternalError</c> for duplicate list items.</exception>
    public static JsonObject Apply(
        JsonObject? live, JsonObject config, string manager, string apiVersion, bool force, string? subresource, DateTimeOffset now, MergeSchema schema,
        IReadOnlyCollection<string>? ignored = null)
    {
        if ((config["metadata"] as JsonObject)?["managedFields"] is not null) throw PatchException.BadRequest("metadata.managedFields must be nil");
        var wanted = config.DeepClone().AsObject();
        foreach (var root in ignored ?? []) wanted.Remove(root);
        TypedValue.CheckLists(wanted, schema, Describe(config));

        var key = ManagerKey.Applier(manager, subresource);
        var owners = ManagedFields.Read(live);
        var before = WithoutManagedFields(live);
        var last = owners.Of(key);
        var wants = TypedValue.FieldsOf(wanted, schema).Except(Unowned);
        owners.Set(key, wants, apiVersion, null);

        var merged = (JsonObject)TypedValue.Merge(before, wanted, schema)!;
        // What this manager applied last time and nobody holds any more goes; what it never held stays. A structure goes by its leaves only:
        // an entry that was an update once (kubectl's move to server-side apply) also names the structures around them.
        var gone = last.WithAncestors(schema).Except(owners.OfAll().WithAncestors(schema)).Intersect(TypedValue.FieldsOf(merged, schema).WithAncestors(schema));
        var result = TypedValue.Remove(merged, gone, schema);
        var change = TypedValue.Compare(before, result, schema);
        Settle(owners, key, change, force);
        if (!change.IsSame || !last.SameAs(wants)) owners.Set(key, owners.Of(key), apiVersion, now);
        owners.WriteTo(result);
        return result;
    }

    /// <summary>Writes down who changed what in a plain create, update or patch. Changes and returns <paramref name="updated"/>.</summary>
    /// <param name="live">The stored object before the write; null for a create.</param>
    /// <param name="updated">The object about to be stored. An empty <c>managedFields</c> list in it resets the ownership; a missing one keeps it.</param>
    /// <param name="manager">The request's fieldManager, else the first word of its User-Agent.</param>
    /// <param name="apiVersion">The version the request came in.</param>
    /// <param name="subresource">e.g. <c>status</c>; null for the object itself.</param>
    /// <param name="now">Time written into changed entries, cut to seconds.</param>
    /// <param name="schema">Merge rules of the kind.</param>
    public static JsonObject TrackUpdate(
        JsonObject? live, JsonObject updated, string manager, string apiVersion, string? subresource, DateTimeOffset now, MergeSchema schema)
    {
        var sent = (updated["metadata"] as JsonObject)?["managedFields"] as JsonArray;
        if (sent is not null && sent.All(entry => entry is JsonObject { Count: 0 }))
        {
            (updated["metadata"] as JsonObject)?.Remove("managedFields");
            if (live is not null) return updated;
        }
        var owners = ManagedFields.Read(sent is { Count: > 0 } ? updated : live);
        var key = ManagerKey.Updater(manager, apiVersion, subresource);
        var change = TypedValue.Compare(WithoutManagedFields(live), WithoutManagedFields(updated), schema);
        var took = change.Changed.Except(Unowned);
        // The writer loses nothing by its own write: what it took is added after everybody, itself included, was cleared.
        Settle(owners, null, change, force: true);
        if (!took.IsEmpty) owners.Set(key, owners.Of(key).Union(took), apiVersion, now);
        owners.WriteTo(updated);
        return updated;
    }

    private static void Settle(ManagedFields owners, ManagerKey? self, Comparison change, bool force)
    {
        var others = owners.Managers.Where(manager => manager != self).ToList();
        if (!force) RefuseConflicts(owners, others, change.Changed);
        foreach (var manager in others) owners.Take(manager, change.Changed);
        foreach (var manager in owners.Managers.ToList()) owners.Take(manager, change.Removed);
    }

    private static void RefuseConflicts(ManagedFields owners, IEnumerable<ManagerKey> others, FieldSet changed)
    {
        var conflicts = others
            .Select(manager => (Who: manager.Describe(owners.VersionOf(manager)), Paths: owners.Of(manager).Intersect(changed).Paths().ToList()))
            .Where(conflict => conflict.Paths.Count > 0)
            .OrderBy(conflict => conflict.Who, StringComparer.Ordinal).ToList();
        if (conflicts.Count == 0) return;
        var count = conflicts.Sum(conflict => conflict.Paths.Count);
        var text = conflicts.Select(conflict => count == 1
            ? $"conflict with {conflict.Who}: {conflict.Paths[0]}"
            : $"conflicts with {conflict.Who}:{string.Concat(conflict.Paths.Select(path => "\n- " + path))}");
        var causes = conflicts.SelectMany(conflict => conflict.Paths.Select(path => new StatusCause("FieldManagerConflict", "conflict with " + conflict.Who, path)));
        throw PatchException.Conflict($"Apply failed with {count} conflict{(count == 1 ? "" : "s")}: {string.Join('\n', text)}", [.. causes]);
    }

    private static string Describe(JsonObject config)
    {
        var metadata = config["metadata"];
        var name = metadata?["namespace"] is { } scope ? $"{scope}/{metadata["name"]}" : $"{metadata?["name"]}";
        return $"failed to create typed patch object ({name}; {config["apiVersion"]}, Kind={config["kind"]}): ";
    }

    private static JsonObject WithoutManagedFields(JsonObject? resource)
    {
        var copy = resource?.DeepClone().AsObject() ?? [];
        (copy["metadata"] as JsonObject)?.Remove("managedFields");
        return copy;
    }
}
