using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Patching;

/// <summary>Server-side apply and the field ownership (<c>metadata.managedFields</c>) it needs.</summary>
public static class ServerSideApply
{
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
    /// <exception cref="PatchException"><c>Conflict</c> with one cause per field, or <c>Invalid</c> for duplicate list items.</exception>
    public static JsonObject Apply(
        JsonObject? live, JsonObject config, string manager, string apiVersion, bool force, string? subresource, DateTimeOffset now, MergeSchema schema,
        IReadOnlyCollection<string>? ignored = null)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return MergePatch.Apply(live ?? [], config);
    }

    /// <summary>Writes down who changed what in a plain create, update or patch. Changes and returns <paramref name="updated"/>.</summary>
    /// <param name="live">The stored object before the write; null for a create.</param>
    /// <param name="updated">The object about to be stored.</param>
    /// <param name="manager">The request's fieldManager, else the first word of its User-Agent.</param>
    /// <param name="apiVersion">The version the request came in.</param>
    /// <param name="subresource">e.g. <c>status</c>; null for the object itself.</param>
    /// <param name="now">Time written into changed entries, cut to seconds.</param>
    /// <param name="schema">Merge rules of the kind.</param>
    public static JsonObject TrackUpdate(
        JsonObject? live, JsonObject updated, string manager, string apiVersion, string? subresource, DateTimeOffset now, MergeSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return updated;
    }
}
