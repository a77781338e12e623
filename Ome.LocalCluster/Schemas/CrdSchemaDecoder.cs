using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Schemas;

/// <summary>As <see cref="TypedDecoder"/>, for the schemas inside a CRD (<c>JSONSchemaProps</c>): a schema whose members have a wrong JSON type is no schema.</summary>
internal static class CrdSchemaDecoder
{
    private static readonly HashSet<string> Texts = ["id", "$schema", "$ref", "description", "type", "format", "title", "pattern", "x-kubernetes-list-type", "x-kubernetes-map-type"];

    private static readonly HashSet<string> Flags =
    [
        "exclusiveMaximum", "exclusiveMinimum", "uniqueItems", "nullable", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource",
        "x-kubernetes-int-or-string",
    ];

    private static readonly HashSet<string> Numbers = ["maximum", "minimum", "multipleOf"];

    private static readonly HashSet<string> Counts = ["maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"];

    private static readonly HashSet<string> TextLists = ["required", "x-kubernetes-list-map-keys"];

    private static readonly HashSet<string> Schemas = ["items", "not"];

    private static readonly HashSet<string> SchemasOrFlags = ["additionalProperties", "additionalItems"];

    private static readonly HashSet<string> SchemaLists = ["allOf", "oneOf", "anyOf"];

    private static readonly HashSet<string> SchemaMaps = ["properties", "patternProperties", "definitions"];

    /// <summary>The first member that cannot be read, in the decoder's words; null when all can.</summary>
    public static string? Problem(JsonNode? schema, string path)
    {
        if (schema is null) return null;
        if (schema is not JsonObject map) return Unreadable(path, "schema");
        foreach (var (name, value) in map)
        {
            if (value is not null && Member(name, value, $"{path}.{name}") is { } problem) return problem;
        }
        return null;
    }

    private static string? Member(string name, JsonNode value, string path)
    {
        var kind = value.GetValueKind();
        if (Texts.Contains(name)) return kind == JsonValueKind.String ? null : Unreadable(path, "string");
        if (Flags.Contains(name)) return IsFlag(kind) ? null : Unreadable(path, "bool");
        if (Numbers.Contains(name)) return kind == JsonValueKind.Number ? null : Unreadable(path, "number");
        if (Counts.Contains(name)) return IsCount(value) ? null : Unreadable(path, "int64");
        if (TextLists.Contains(name)) return Each(value, path, (item, at) => item?.GetValueKind() == JsonValueKind.String ? null : Unreadable(at, "string"));
        if (Schemas.Contains(name)) return Problem(value, path);
        if (SchemasOrFlags.Contains(name)) return IsFlag(kind) ? null : Problem(value, path);
        if (SchemaLists.Contains(name)) return Each(value, path, Problem);
        if (name == "x-kubernetes-validations") return Each(value, path, Validation);
        if (name == "enum") return kind == JsonValueKind.Array ? null : Unreadable(path, "list");
        if (!SchemaMaps.Contains(name)) return null;
        return value is JsonObject schemas
            ? schemas.Select(member => Problem(member.Value, $"{path}[{member.Key}]")).FirstOrDefault(problem => problem is not null)
            : Unreadable(path, "map of schemas");
    }

    private static string? Validation(JsonNode? rule, string path)
    {
        if (rule is not JsonObject map) return Unreadable(path, "validation rule");
        var bad = map.FirstOrDefault(member => member.Value is { } value && (member.Key == "optionalOldSelf" ? !IsFlag(value.GetValueKind()) : value.GetValueKind() != JsonValueKind.String)).Key;
        return bad is null ? null : Unreadable($"{path}.{bad}", bad == "optionalOldSelf" ? "bool" : "string");
    }

    private static string? Each(JsonNode value, string path, Func<JsonNode?, string, string?> problem) => value is JsonArray list
        ? list.Select((item, i) => problem(item, $"{path}[{i}]")).FirstOrDefault(found => found is not null)
        : Unreadable(path, "list");

    private static bool IsFlag(JsonValueKind kind) => kind is JsonValueKind.True or JsonValueKind.False;

    private static bool IsCount(JsonNode value) =>
        value.GetValueKind() == JsonValueKind.Number && long.TryParse(value.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);

    private static string Unreadable(string path, string type) => $"json: cannot unmarshal the value of field {path} into type {type}";
}
