using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;

namespace Ome.LocalCluster.Schemas;

/// <summary>What a CRD's schema must obey to be enforced: the structural schema rules, in kube-apiserver's words.</summary>
internal static class StructuralRules
{
    private static readonly string[] Types = ["array", "boolean", "integer", "number", "object", "string"];

    // Members apiextensions/v1 knows and does not support.
    private static readonly string[] Unsupported = ["$ref", "definitions", "dependencies", "patternProperties", "additionalItems", "id"];

    // What describes the shape and so may not vary between alternatives.
    private static readonly string[] ShapeOnly =
    [
        "type", "default", "title", "description", "nullable", "additionalProperties", "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-embedded-resource", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type",
    ];

    public static IReadOnlyList<FieldError> Check(JsonObject schema, string path)
    {
        var errors = new List<FieldError>();
        if (IsTrue(schema, "nullable")) errors.Add(FieldError.Forbidden(path + ".nullable", "nullable cannot be true at the root"));
        switch (Text(schema["type"]))
        {
            case null: errors.Add(FieldError.Required(path + ".type", "must not be empty at the root")); break;
            case "object": break;
            case { } other: errors.Add(FieldError.Invalid(path + ".type", $"\"{other}\"", "must be object at the root")); break;
        }
        CheckMetadata(schema, path, errors);
        var undeclared = new List<FieldError>();
        CheckNode(schema, path, errors, undeclared);
        // Whether alternatives name only declared members is a question for a schema that is sound otherwise.
        return errors.Count > 0 ? errors : undeclared;
    }

    private static void CheckMetadata(JsonObject root, string path, List<FieldError> errors)
    {
        if ((root["properties"] as JsonObject)?["metadata"] is not JsonObject metadata) return;
        var named = (metadata["properties"] as JsonObject)?.Select(property => property.Key) ?? [];
        if (named.Except(["name", "generateName"], StringComparer.Ordinal).Any())
            errors.Add(FieldError.Forbidden(path + ".properties[metadata]", "must not specify anything other than name and generateName, but metadata is implicitly specified"));
    }

    private static void CheckNode(JsonObject schema, string path, List<FieldError> errors, List<FieldError> undeclared)
    {
        CheckMembers(schema, path, errors);
        CheckList(schema, path, errors);
        CheckDefault(schema, path, errors);
        foreach (var (name, child) in Properties(schema))
        {
            RequireType(child, $"{path}.properties[{name}]", "must not be empty for specified object fields", errors);
            CheckNode(child, $"{path}.properties[{name}]", errors, undeclared);
        }
        if (schema["additionalProperties"] is JsonObject additional)
        {
            RequireType(additional, path + ".additionalProperties", "must not be empty for specified object fields", errors);
            CheckNode(additional, path + ".additionalProperties", errors, undeclared);
        }
        if (schema["items"] is JsonObject items)
        {
            RequireType(items, path + ".items", "must not be empty for specified array items", errors);
            CheckNode(items, path + ".items", errors, undeclared);
        }
        foreach (var alternatives in new[] { "allOf", "anyOf", "oneOf" })
        {
            for (var i = 0; schema[alternatives] is JsonArray list && i < list.Count; i++)
            {
                if (list[i] is JsonObject alternative) CheckAlternative(alternative, schema, $"{path}.{alternatives}[{i}]", path, errors, undeclared);
            }
        }
        if (schema["not"] is JsonObject not) CheckAlternative(not, schema, path + ".not", path, errors, undeclared);
    }

    private static void CheckMembers(JsonObject schema, string path, List<FieldError> errors)
    {
        foreach (var name in Unsupported)
        {
            if (schema.ContainsKey(name)) errors.Add(FieldError.Forbidden($"{path}.{name}", $"{name} is not supported"));
        }
        if (Text(schema["type"]) is { } type && !Types.Contains(type, StringComparer.Ordinal))
            errors.Add(FieldError.NotSupported(path + ".type", $"\"{type}\"", Types.Select(name => $"\"{name}\"")));
        if (IsTrue(schema, "uniqueItems"))
            errors.Add(FieldError.Forbidden(path + ".uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
        if (schema["properties"] is JsonObject && schema["additionalProperties"] is JsonObject)
            errors.Add(FieldError.Forbidden(path + ".additionalProperties", "additionalProperties and properties are mutual exclusive"));
        if (schema["x-kubernetes-preserve-unknown-fields"]?.GetValueKind() == System.Text.Json.JsonValueKind.False)
            errors.Add(FieldError.Invalid(path + ".x-kubernetes-preserve-unknown-fields", "false", "must be true or undefined"));
        if (IsTrue(schema, "x-kubernetes-embedded-resource") && schema["properties"] is null && !IsTrue(schema, "x-kubernetes-preserve-unknown-fields"))
            errors.Add(FieldError.Required(path + ".properties", "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"));
        if (Text(schema["pattern"]) is { } pattern && Patterns.Compile(pattern) is null)
            errors.Add(FieldError.Invalid(path + ".pattern", $"\"{pattern}\"", "must be a valid regular expression"));
        if (Text(schema["x-kubernetes-map-type"]) is { } map && map is not ("atomic" or "granular"))
            errors.Add(FieldError.NotSupported(path + ".x-kubernetes-map-type", $"\"{map}\"", ["\"atomic\"", "\"granular\""]));
    }

    private static void CheckList(JsonObject schema, string path, List<FieldError> errors)
    {
        var isArray = Text(schema["type"]) == "array";
        if (isArray && schema["items"] is not JsonObject) errors.Add(FieldError.Required(path + ".items", "must be specified"));
        if (Text(schema["x-kubernetes-list-type"]) is not { } listType) return;
        if (listType is not ("atomic" or "set" or "map"))
            errors.Add(FieldError.NotSupported(path + ".x-kubernetes-list-type", $"\"{listType}\"", ["\"atomic\"", "\"set\"", "\"map\""]));
        if (!isArray) errors.Add(FieldError.Invalid(path + ".type", $"\"{Text(schema["type"])}\"", "must be array if x-kubernetes-list-type is specified"));
        if (listType == "map" && isArray) CheckMapList(schema, path, errors);
    }

    private static void CheckMapList(JsonObject schema, string path, List<FieldError> errors)
    {
        var keys = schema["x-kubernetes-list-map-keys"] as JsonArray ?? [];
        if (keys.Count == 0) errors.Add(FieldError.Required(path + ".x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map"));
        if (schema["items"] is not JsonObject items) return;
        if (Text(items["type"]) != "object")
        {
            errors.Add(FieldError.Invalid(path + ".items.type", $"\"{Text(items["type"])}\"", "must be object if parent array's x-kubernetes-list-type is map"));
            return;
        }
        var properties = Properties(items).ToDictionary(property => property.Name, property => property.Schema, StringComparer.Ordinal);
        var required = (items["required"] as JsonArray ?? []).Select(Text).ToHashSet(StringComparer.Ordinal);
        if (!keys.All(key => properties.ContainsKey(Text(key) ?? "")))
            errors.Add(FieldError.Invalid(path + ".x-kubernetes-list-map-keys", keys.ToJsonString(), "entries must all be names of item properties"));
        foreach (var name in keys.Select(Text).OfType<string>().Where(properties.ContainsKey))
        {
            if (!required.Contains(name) && properties[name]["default"] is null)
                errors.Add(FieldError.Required($"{path}.items.properties[{name}].default", "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"));
        }
    }

    // A default that its own schema would refuse is refused here, once, instead of on every object.
    private static void CheckDefault(JsonObject schema, string path, List<FieldError> errors)
    {
        if (schema["default"] is not { } value) return;
        var node = new SchemaNode(schema, _ => null);
        var found = new List<FieldError>();
        var pruned = value.DeepClone();
        SchemaPruner.Prune(pruned, node, node.IsEmbeddedResource, "", []);
        if (!JsonValues.Same(pruned, value)) found.Add(FieldError.Invalid("", JsonValues.Canonical(value), "must not have unknown fields"));
        SchemaPruner.Default(pruned, node);
        SchemaValidator.Validate(pruned, node, "", found);
        errors.AddRange(found.Select(error => error with { Field = path + ".default" + (error.Field.Length > 0 && error.Field[0] != '[' ? "." : "") + error.Field }));
    }

    private static void CheckAlternative(JsonObject alternative, JsonObject shape, string path, string shapePath, List<FieldError> errors, List<FieldError> undeclared)
    {
        foreach (var name in ShapeOnly)
        {
            if (!alternative.ContainsKey(name) || name == "type" && IsIntOrStringType(alternative, shape)) continue;
            errors.Add(FieldError.Forbidden($"{path}.{name}", "must be empty to be structural"));
        }
        foreach (var (name, child) in Properties(alternative))
        {
            var known = Properties(shape).FirstOrDefault(property => property.Name == name).Schema;
            if (known is null && shape["additionalProperties"] is JsonObject additional) known = additional;
            if (known is null)
                undeclared.Add(FieldError.Required($"{shapePath}.properties[{name}]", $"because it is defined in {path}.properties[{name}]"));
            CheckAlternative(child, known ?? [], $"{path}.properties[{name}]", $"{shapePath}.properties[{name}]", errors, undeclared);
        }
        if (alternative["items"] is JsonObject items) CheckAlternative(items, shape["items"] as JsonObject ?? [], path + ".items", shapePath + ".items", errors, undeclared);
        foreach (var alternatives in new[] { "allOf", "anyOf", "oneOf" })
        {
            for (var i = 0; alternative[alternatives] is JsonArray list && i < list.Count; i++)
            {
                if (list[i] is JsonObject nested) CheckAlternative(nested, shape, $"{path}.{alternatives}[{i}]", shapePath, errors, undeclared);
            }
        }
    }

    // The one exception: anyOf [{type: integer}, {type: string}] is how int-or-string is spelled.
    private static bool IsIntOrStringType(JsonObject alternative, JsonObject shape) =>
        IsTrue(shape, "x-kubernetes-int-or-string") && alternative.Count == 1 && Text(alternative["type"]) is "integer" or "string";

    private static void RequireType(JsonObject schema, string path, string text, List<FieldError> errors)
    {
        if (schema["type"] is null && !IsTrue(schema, "x-kubernetes-int-or-string") && !IsTrue(schema, "x-kubernetes-preserve-unknown-fields"))
            errors.Add(FieldError.Required(path + ".type", text));
    }

    private static IEnumerable<(string Name, JsonObject Schema)> Properties(JsonObject schema) =>
        schema["properties"] is JsonObject properties ? properties.Where(property => property.Value is JsonObject).Select(property => (property.Key, property.Value!.AsObject())) : [];

    private static bool IsTrue(JsonObject schema, string member) => schema[member] is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
}
