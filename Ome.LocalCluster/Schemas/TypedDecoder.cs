using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Schemas;

/// <summary>
/// What a typed decoder refuses before anything is validated: a value of another JSON type than its field has. A null fits everywhere, and
/// what the schema does not know is not looked at.
/// </summary>
internal static class TypedDecoder
{
    /// <summary>The first value that cannot be read into its field, in the decoder's words; null when all can.</summary>
    /// <param name="value">What was sent.</param>
    /// <param name="schema">What the field holds.</param>
    /// <param name="path">The field, from its kind: <c>ConfigMap.data.k</c>.</param>
    public static string? Problem(JsonNode? value, SchemaNode schema, string path)
    {
        if (value is null) return null;
        if (Misfit(value, schema, path) is { } misfit) return misfit;
        if (value is JsonObject map)
        {
            foreach (var (name, member) in map)
            {
                if (member is not null && schema.Member(name) is { } known && Problem(member, known, $"{path}.{name}") is { } found) return found;
            }
        }
        for (var i = 0; value is JsonArray list && schema.Items is { } items && i < list.Count; i++)
        {
            if (Problem(list[i], items, $"{path}[{i}]") is { } found) return found;
        }
        return null;
    }

    private static string? Misfit(JsonNode value, SchemaNode schema, string path)
    {
        var kind = value.GetValueKind();
        // A quantity may also be a number with a fraction.
        if (schema.IsIntOrString) return kind is JsonValueKind.String or JsonValueKind.Number ? null : Unreadable(value, path, "number or string");
        return schema.Type switch
        {
            "object" => kind == JsonValueKind.Object ? null : Unreadable(value, path, "object"),
            "array" => kind == JsonValueKind.Array ? null : Unreadable(value, path, "list"),
            "boolean" => kind is JsonValueKind.True or JsonValueKind.False ? null : Unreadable(value, path, "bool"),
            "number" => kind == JsonValueKind.Number ? null : Unreadable(value, path, "number"),
            "integer" => IsInteger(value, schema.Format) ? null : Unreadable(value, path, schema.Format ?? "int64"),
            "string" => kind == JsonValueKind.String ? BadText(value.GetValue<string>(), schema, path) : Unreadable(value, path, "string"),
            _ => null,
        };
    }

    private static bool IsInteger(JsonNode value, string? format) =>
        value.GetValueKind() == JsonValueKind.Number
        && long.TryParse(value.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
        && (format != "int32" || number is >= int.MinValue and <= int.MaxValue);

    private static string? BadText(string text, SchemaNode schema, string path) => schema.Format switch
    {
        "byte" when !StringFormats.Matches("byte", text) => $"illegal base64 data in field {path}",
        "date-time" when !StringFormats.Matches("date-time", text) => $"parsing time \"{text}\" of field {path}: it is not in RFC 3339 form",
        _ => null,
    };

    private static string Unreadable(JsonNode value, string path, string type)
    {
        var found = value.GetValueKind() switch
        {
            JsonValueKind.Object => "object",
            JsonValueKind.Array => "array",
            JsonValueKind.String => "string",
            JsonValueKind.Number => $"number {value.ToJsonString()}",
            _ => "bool",
        };
        return $"json: cannot unmarshal {found} into field {path} of type {type}";
    }
}
