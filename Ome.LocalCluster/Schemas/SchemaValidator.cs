using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;

namespace Ome.LocalCluster.Schemas;

/// <summary>Checks a value against a schema and words what is wrong as kube-apiserver does.</summary>
internal static class SchemaValidator
{
    public static void Validate(JsonNode? value, SchemaNode schema, string path, List<FieldError> errors)
    {
        if (value is null && schema.IsNullable) return;
        if (WrongType(value, schema) is { } expected)
        {
            errors.Add(FieldError.Type(path, $"\"{TypeName(value)}\"", $"{path} in body must be of type {expected}: \"{TypeName(value)}\""));
            return;
        }
        if (schema.Enum is { } allowed && !allowed.Any(item => JsonValues.Same(item, value)))
            errors.Add(FieldError.NotSupported(path, Show(value), allowed.Select(item => $"\"{item}\"")));
        switch (value)
        {
            case JsonObject map: ValidateMap(map, schema, path, errors); break;
            case JsonArray list: ValidateList(list, schema, path, errors); break;
            case { } scalar when scalar.GetValueKind() == JsonValueKind.String: ValidateText(scalar.GetValue<string>(), schema, path, errors); break;
            case { } scalar when scalar.GetValueKind() == JsonValueKind.Number: ValidateNumber(scalar, schema, path, errors); break;
            default: break;
        }
        ValidateAlternatives(value, schema, path, errors);
    }

    private static void ValidateMap(JsonObject map, SchemaNode schema, string path, List<FieldError> errors)
    {
        foreach (var name in schema.Required)
        {
            if (!map.TryGetPropertyValue(name, out var member) || member is null && schema.Declared(name) is not { IsNullable: true })
                errors.Add(FieldError.Required(SchemaPruner.Join(path, name)));
        }
        if (schema.IsEmbeddedResource) ValidateResource(map, path, errors);
        if (schema.Count("minProperties") is { } min && map.Count < min)
            errors.Add(FieldError.Invalid(path, Text(map.Count), $"{path} in body should have at least {min} properties"));
        if (schema.Count("maxProperties") is { } max && map.Count > max) errors.Add(FieldError.TooMany(path, map.Count, max));
        foreach (var (name, member) in map)
        {
            // A missing required member has been named already; a null one says nothing more.
            if (schema.Member(name) is { } known && !(member is null && schema.Required.Contains(name, StringComparer.Ordinal)))
                Validate(member, known, SchemaPruner.Join(path, name), errors);
        }
    }

    private static void ValidateResource(JsonObject map, string path, List<FieldError> errors)
    {
        foreach (var name in new[] { "apiVersion", "kind" })
        {
            if (map[name] is not JsonValue value || !value.TryGetValue<string>(out var text) || text.Length == 0) errors.Add(FieldError.Required($"{path}.{name}"));
        }
        if (map["metadata"] is { } metadata) Validate(metadata, SchemaPruner.ObjectMeta, $"{path}.metadata", errors);
    }

    private static void ValidateList(JsonArray list, SchemaNode schema, string path, List<FieldError> errors)
    {
        if (schema.Count("minItems") is { } min && list.Count < min)
            errors.Add(FieldError.Invalid(path, Text(list.Count), $"{path} in body should have at least {min} items"));
        if (schema.Count("maxItems") is { } max && list.Count > max) errors.Add(FieldError.TooMany(path, list.Count, max));
        for (var i = 0; schema.Items is { } items && i < list.Count; i++) Validate(list[i], items, $"{path}[{i}]", errors);
        if (schema.ListType is not ("set" or "map")) return;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < list.Count; i++)
        {
            var identity = Identity(list[i], schema);
            if (!seen.Add(identity)) errors.Add(FieldError.Duplicate($"{path}[{i}]", identity));
        }
    }

    private static string Identity(JsonNode? item, SchemaNode schema)
    {
        if (schema.ListType == "set" || item is not JsonObject map) return JsonValues.Canonical(item);
        var keys = new JsonObject();
        foreach (var key in schema.ListMapKeys)
        {
            if (map[key] is { } value) keys[key] = value.DeepClone();
        }
        return JsonValues.Canonical(keys);
    }

    private static void ValidateText(string text, SchemaNode schema, string path, List<FieldError> errors)
    {
        var runes = text.EnumerateRunes().Count();
        // One word on length and shape, as the server has it: the first that fails.
        if (schema.Count("maxLength") is { } max && runes > max) errors.Add(FieldError.TooLong(path, $"may not be more than {max} bytes"));
        else if (schema.Count("minLength") is { } min && runes < min)
            errors.Add(FieldError.Invalid(path, Show(text), $"{path} in body should be at least {min} chars long"));
        else if (schema.Pattern is { } pattern && !pattern.IsMatch(text))
            errors.Add(FieldError.Invalid(path, Show(text), $"{path} in body should match '{pattern}'"));
        if (schema.Format is { } format && !StringFormats.Matches(format, text))
            errors.Add(FieldError.Type(path, Show(text), $"{path} in body must be of type {format}: {Show(text)}"));
    }

    private static void ValidateNumber(JsonNode scalar, SchemaNode schema, string path, List<FieldError> errors)
    {
        // Beyond 28 digits there is nothing our ranges could say; the type check has passed.
        if (!decimal.TryParse(scalar.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) return;
        var shown = JsonValues.Canonical(scalar);
        if (schema.Number("minimum") is { } min)
        {
            var exclusive = schema.Flag("exclusiveMinimum");
            if (exclusive ? number <= min : number < min)
                errors.Add(FieldError.Invalid(path, shown, $"{path} in body should be greater than {(exclusive ? "" : "or equal to ")}{Text(min)}"));
        }
        if (schema.Number("maximum") is { } max)
        {
            var exclusive = schema.Flag("exclusiveMaximum");
            if (exclusive ? number >= max : number > max)
                errors.Add(FieldError.Invalid(path, shown, $"{path} in body should be less than {(exclusive ? "" : "or equal to ")}{Text(max)}"));
        }
        if (schema.Number("multipleOf") is { } step and not 0 && number % step != 0)
            errors.Add(FieldError.Invalid(path, shown, $"{path} in body should be a multiple of {Text(step)}"));
        if (schema.Format == "int32" && number is < int.MinValue or > int.MaxValue && schema.Type == "integer")
            errors.Add(FieldError.Invalid(path, shown, "Checked value must be of type integer with format int32"));
    }

    private static void ValidateAlternatives(JsonNode? value, SchemaNode schema, string path, List<FieldError> errors)
    {
        foreach (var part in schema.Alternatives("allOf")) Validate(value, part, path, errors);
        var any = Try(value, schema.Alternatives("anyOf"), path);
        if (any.Count > 0 && any.TrueForAll(attempt => attempt.Count > 0)) Refuse("must validate at least one schema (anyOf)", any);
        var one = Try(value, schema.Alternatives("oneOf"), path);
        var valid = one.Count(attempt => attempt.Count == 0);
        if (one.Count > 0 && valid != 1)
            Refuse($"must validate one and only one schema (oneOf). Found {(valid == 0 ? "none valid" : $"{valid} valid alternatives")}", valid == 0 ? one : []);
        if (schema.Not is { } not && Try(value, [not], path)[0].Count == 0) Refuse("must not validate the schema (not)", []);

        void Refuse(string text, List<List<FieldError>> attempts)
        {
            errors.Add(FieldError.Invalid("<nil>", "\"\"", $"\"{path}\" {text}"));
            // The nearest miss says what to change.
            if (attempts.Count > 0) errors.AddRange(attempts.MinBy(attempt => attempt.Count)!);
        }
    }

    private static List<List<FieldError>> Try(JsonNode? value, IReadOnlyList<SchemaNode> schemas, string path)
    {
        var attempts = new List<List<FieldError>>();
        foreach (var schema in schemas)
        {
            var errors = new List<FieldError>();
            Validate(value, schema, path, errors);
            attempts.Add(errors);
        }
        return attempts;
    }

    // The expected type when the value has another; null when it fits.
    private static string? WrongType(JsonNode? value, SchemaNode schema)
    {
        var kind = TypeName(value);
        if (schema.IsIntOrString) return kind is "integer" or "string" ? null : "integer,string";
        return schema.Type switch
        {
            null => null,
            "number" => kind is "integer" or "number" ? null : "number",
            var type => kind == type ? null : type,
        };
    }

    private static string TypeName(JsonNode? value) => value switch
    {
        null => "null",
        JsonObject => "object",
        JsonArray => "array",
        _ => value.GetValueKind() switch
        {
            JsonValueKind.String => "string",
            JsonValueKind.Number => IsWhole(value) ? "integer" : "number",
            _ => "boolean",
        },
    };

    private static bool IsWhole(JsonNode value) => !JsonValues.Canonical(value).AsSpan().ContainsAny('.', 'e', 'E');

    private static string Show(JsonNode? value) => JsonValues.Canonical(value);

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
