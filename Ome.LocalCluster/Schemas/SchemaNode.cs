using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Schemas;

/// <summary>One place of a schema, with names for what the OpenAPI object says. References are followed; children are read when asked for.</summary>
internal sealed class SchemaNode
{
    private readonly Func<string, JsonObject?> _resolve;
    private readonly ConcurrentDictionary<string, SchemaNode> _properties = new(StringComparer.Ordinal);
    private SchemaNode? _items;
    private SchemaNode? _additional;

    public SchemaNode(JsonObject json, Func<string, JsonObject?> resolve)
    {
        Json = Follow(json, resolve);
        _resolve = resolve;
        Pattern = Text("pattern") is { } pattern ? Patterns.Compile(pattern) : null;
    }

    /// <summary>The OpenAPI object, with a reference already merged in.</summary>
    public JsonObject Json { get; }

    public string? Type => Text("type");

    public string? Format => Text("format");

    public bool IsNullable => Flag("nullable");

    public bool IsIntOrString => Flag("x-kubernetes-int-or-string");

    public bool IsEmbeddedResource => Flag("x-kubernetes-embedded-resource");

    public bool PreservesUnknown => Flag("x-kubernetes-preserve-unknown-fields") || Flag("additionalProperties");

    public string? ListType => Text("x-kubernetes-list-type");

    public IReadOnlyList<string> ListMapKeys => Texts("x-kubernetes-list-map-keys");

    public IReadOnlyList<string> Required => Texts("required");

    public JsonArray? Enum => Json["enum"] as JsonArray;

    public System.Text.RegularExpressions.Regex? Pattern { get; }

    /// <summary>True when the schema writes a default, be it null.</summary>
    public bool HasDefault => Json.ContainsKey("default");

    public JsonNode? Default => Json["default"];

    public IEnumerable<string> PropertyNames => Json["properties"] is JsonObject properties ? properties.Select(property => property.Key) : [];

    public SchemaNode? Items => _items ??= Child(Json["items"]);

    public SchemaNode? Additional => _additional ??= Child(Json["additionalProperties"]);

    /// <summary>The schema of a member: declared, else that of additional properties; null when the member is unknown.</summary>
    public SchemaNode? Member(string name) => Declared(name) ?? Additional;

    public SchemaNode? Declared(string name)
    {
        if (_properties.TryGetValue(name, out var known)) return known;
        if (Json["properties"] is not JsonObject properties || properties[name] is not JsonObject json) return null;
        return _properties.GetOrAdd(name, static (_, child) => new(child.json, child._resolve), (json, _resolve));
    }

    public IReadOnlyList<SchemaNode> Alternatives(string member) => Json[member] is JsonArray list ? [.. list.OfType<JsonObject>().Select(json => new SchemaNode(json, _resolve))] : [];

    public SchemaNode? Not => Child(Json["not"]);

    public decimal? Number(string member) => Json[member] is { } node && decimal.TryParse(node.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : null;

    public int? Count(string member) => (int?)Number(member);

    public bool Flag(string member) => Json[member] is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    private string? Text(string member) => Json[member] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private IReadOnlyList<string> Texts(string member) => Json[member] is JsonArray list ? [.. list.Select(item => item!.ToString())] : [];

    private SchemaNode? Child(JsonNode? json) => json is JsonObject map ? new(map, _resolve) : null;

    private static JsonObject Follow(JsonObject json, Func<string, JsonObject?> resolve)
    {
        var reference = json["$ref"] ?? (json["allOf"] as JsonArray)?.FirstOrDefault()?["$ref"];
        if (reference is null || resolve((string)reference!) is not { } target) return json;
        var merged = target.DeepClone().AsObject();
        foreach (var (name, value) in json)
        {
            if (name is not ("$ref" or "allOf" or "default")) merged[name] = value?.DeepClone();
        }
        return merged;
    }
}
