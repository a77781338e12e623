using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Schemas;

/// <summary>Removes what a schema does not know and fills in what it defaults.</summary>
internal static class SchemaPruner
{
    private static readonly SchemaNode Metadata = new(BuiltInSchemas.All.Find(BuiltInSchemas.ObjectMeta)!, BuiltInSchemas.All.Find);

    /// <summary>The metadata of any object, the stored one or one embedded in a field.</summary>
    public static SchemaNode ObjectMeta => Metadata;

    /// <summary>Prunes in place and collects the paths of what went.</summary>
    public static void Prune(JsonNode? value, SchemaNode schema, bool isResource, string path, List<string> removed)
    {
        if (value is JsonArray list)
        {
            for (var i = 0; schema.Items is { } items && i < list.Count; i++) Prune(list[i], items, items.IsEmbeddedResource, $"{path}[{i}]", removed);
            return;
        }
        if (value is not JsonObject map) return;
        foreach (var (name, member) in map.ToList())
        {
            var at = Join(path, name);
            if (isResource && name is "apiVersion" or "kind") continue;
            if (isResource && name == "metadata") Prune(member, Metadata, isResource: false, at, removed);
            else if (schema.Member(name) is { } known) Prune(member, known, known.IsEmbeddedResource, at, removed);
            else if (!schema.PreservesUnknown && map.Remove(name)) removed.Add(at);
        }
    }

    /// <summary>
    /// Fills missing members in place. A null where none is allowed reads as missing: it gets the default, or goes away.
    /// </summary>
    public static void Default(JsonNode? value, SchemaNode schema)
    {
        if (value is JsonArray list)
        {
            foreach (var item in list)
            {
                if (schema.Items is { } items) Default(item, items);
            }
            return;
        }
        if (value is not JsonObject map) return;
        foreach (var name in schema.PropertyNames)
        {
            var known = schema.Declared(name)!;
            var isNull = map.TryGetPropertyValue(name, out var member) && member is null;
            if (isNull && known.IsNullable) continue;
            if (isNull) map.Remove(name);
            if (member is null && known.HasDefault) map[name] = known.Default?.DeepClone();
        }
        foreach (var (name, member) in map.ToList())
        {
            if (schema.Member(name) is { } known) Default(member, known);
        }
    }

    public static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
