using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;

namespace Ome.LocalCluster.Schemas;

/// <summary>The documents under <c>/openapi</c>: enough for kubectl explain, apply, diff and validation.</summary>
public static class OpenApiDocuments
{
    // Say nothing in OpenAPI 2.0.
    private static readonly string[] Version3Only = ["nullable", "oneOf", "anyOf", "not"];

    /// <summary>Merge rules of a built-in kind; <see cref="MergeSchema.Unknown"/> when it ships no schema.</summary>
    public static MergeSchema MergeSchemaOf(string group, string version, string kind) =>
        BuiltInSchemas.All.Find(group, version, kind) is { } schema ? MergeSchema.FromOpenApi(schema, BuiltInSchemas.All.Find) : MergeSchema.Unknown;

    /// <summary><c>/openapi/v2</c> as JSON.</summary>
    public static JsonObject BuildV2(IReadOnlyCollection<OpenApiKind> kinds) => new()
    {
        ["swagger"] = "2.0",
        ["info"] = Info(),
        ["paths"] = Paths(kinds, version3: false),
        ["definitions"] = Schemas(kinds, ToVersion2),
    };

    /// <summary><c>/openapi/v3</c>: the index from group-version path to document, with a hash for caching.</summary>
    public static JsonObject BuildV3Index(IReadOnlyCollection<OpenApiKind> kinds)
    {
        var paths = new JsonObject();
        foreach (var path in kinds.Select(kind => kind.GroupVersionPath).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes(BuildV3(path, kinds)!.ToJsonString()));
            paths[path] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{path}?hash={Convert.ToHexString(hash)}" };
        }
        return new() { ["paths"] = paths };
    }

    /// <summary><c>/openapi/v3/{path}</c>; null when no kind lives there.</summary>
    /// <param name="groupVersionPath">e.g. <c>api/v1</c>, <c>apis/ome.io/v1beta1</c>.</param>
    /// <param name="kinds">All served kinds.</param>
    public static JsonObject? BuildV3(string groupVersionPath, IReadOnlyCollection<OpenApiKind> kinds)
    {
        var here = kinds.Where(kind => kind.GroupVersionPath == groupVersionPath).ToList();
        if (here.Count == 0) return null;
        return new()
        {
            ["openapi"] = "3.0.0",
            ["info"] = Info(),
            ["paths"] = Paths(here, version3: true),
            ["components"] = new JsonObject { ["schemas"] = Schemas(here, schema => schema) },
        };
    }

    private static JsonObject Info() => new() { ["title"] = "Ome local control plane", ["version"] = "v1" };

    private static JsonObject Paths(IEnumerable<OpenApiKind> kinds, bool version3)
    {
        var paths = new JsonObject();
        foreach (var kind in kinds) new OpenApiPaths(version3).Add(paths, kind);
        return paths;
    }

    // The kinds' own schemas and all they refer to, sorted so that the document's hash is stable.
    private static JsonObject Schemas(IEnumerable<OpenApiKind> kinds, Func<JsonObject, JsonObject> convert)
    {
        var found = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        var open = new Stack<string>();
        foreach (var kind in kinds)
        {
            var schema = kind.Schema is { } custom ? Published(kind, custom) : BuiltInSchemas.All.Find(kind.Group, kind.Version, kind.Kind) ?? Published(kind, null);
            Keep(kind.SchemaName, schema);
        }
        while (open.TryPop(out var name))
        {
            if (!found.ContainsKey(name) && BuiltInSchemas.All.Find(name) is { } schema) Keep(name, schema);
        }
        var result = new JsonObject();
        foreach (var (name, schema) in found) result[name] = convert(schema.DeepClone().AsObject());
        return result;

        void Keep(string name, JsonObject schema)
        {
            found[name] = schema;
            foreach (var reference in References(schema)) open.Push(reference);
        }
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(member => member.Key == "$ref" && member.Value is JsonValue text ? [text.ToString().Split('/')[^1]] : References(member.Value)),
        JsonArray list => list.SelectMany(References),
        _ => [],
    };

    // What the CRD declares, plus what every object has; a kind without any schema takes everything.
    private static JsonObject Published(OpenApiKind kind, StructuralSchema? schema)
    {
        var result = schema?.Source.DeepClone().AsObject() ?? new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true };
        if (result["properties"] is not JsonObject properties) result["properties"] = properties = [];
        properties["apiVersion"] = new JsonObject { ["type"] = "string", ["description"] = "Group and version of this representation." };
        properties["kind"] = new JsonObject { ["type"] = "string", ["description"] = "What the object is." };
        properties["metadata"] = new JsonObject { ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = BuiltInSchemas.Reference + BuiltInSchemas.ObjectMeta }) };
        result["x-kubernetes-group-version-kind"] = new JsonArray(BuiltInSchemas.GroupVersionKind(kind.Group, kind.Version, kind.Kind));
        return result;
    }

    private static JsonObject ToVersion2(JsonObject schema)
    {
        foreach (var name in Version3Only) schema.Remove(name);
        if (schema["allOf"] is JsonArray all)
        {
            if (all.FirstOrDefault()?["$ref"] is { } reference) schema["$ref"] = reference.DeepClone();
            schema.Remove("allOf");
        }
        if (schema["$ref"] is JsonValue target) schema["$ref"] = "#/definitions/" + target.ToString().Split('/')[^1];
        foreach (var name in new[] { "items", "additionalProperties" })
        {
            if (schema[name] is JsonObject child) ToVersion2(child);
        }
        foreach (var (_, child) in schema["properties"] as JsonObject ?? []) ToVersion2(child!.AsObject());
        return schema;
    }
}
