using System.Reflection;
using k8s.Models;
using KubeOps.Abstractions.Entities.Attributes;

namespace KubeOps.Transpiler;

/// <summary>Refuses what the API server would refuse, where the member can still be named.</summary>
internal static class SchemaChecks
{
    private static readonly string[] Reasons = ["FieldValueRequired", "FieldValueForbidden", "FieldValueInvalid", "FieldValueDuplicate"];

    internal static void Check(PropertyInfo property, V1JSONSchemaProps schema)
    {
        Refuse(property, property.Has<UniqueItemsAttribute>(), "a CRD must not set uniqueItems; use [XListType(XListType.Set)].");
        Refuse(property, schema.Format?.Trim().Length == 0, "[Format] is blank; give a format, or null for none.");
        Refuse(property, property.Has<XMapTypeAttribute>() && schema.Type != "object", $"[XMapType] is for objects; the schema's type is '{schema.Type}'.");
        if (property.Has<EnumValuesAttribute>()) CheckEnum(property, schema);
        if (property.Has<XListTypeAttribute>() || property.Has<XListMapKeysAttribute>()) CheckList(property, schema);
    }

    internal static void Check(MemberInfo member, V1ValidationRule rule)
    {
        Refuse(member, string.IsNullOrWhiteSpace(rule.Rule), "[ValidationRule] has no rule.");
        Refuse(member, IsBlank(rule.Message) || IsBlank(rule.MessageExpression) || IsBlank(rule.FieldPath), "[ValidationRule] has a blank argument.");
        Refuse(member, HasBreak(rule.Message?.Trim()) || HasBreak(rule.FieldPath), "message and fieldPath of [ValidationRule] must be one line.");
        Refuse(member, HasBreak(rule.Rule.Trim()) && string.IsNullOrWhiteSpace(rule.Message), "a [ValidationRule] of several lines needs a message.");
        Refuse(
            member,
            rule.Reason is not null && !Reasons.Contains(rule.Reason, StringComparer.Ordinal),
            $"[ValidationRule] has reason '{rule.Reason}'; it can be {string.Join(", ", Reasons)}.");
    }

    internal static void Refuse(MemberInfo member, bool isWrong, string problem)
    {
        if (isWrong) throw new SchemaException(member, problem);
    }

    private static void CheckEnum(PropertyInfo property, V1JSONSchemaProps schema)
    {
        var values = schema.EnumProperty;
        Refuse(property, values.Count == 0 || values.Distinct().Count() != values.Count, "[EnumValues] must have at least one value, each once.");
        Refuse(property, !values.All(value => Fits(schema, value)), $"[EnumValues] does not fit the schema's type '{schema.Type}'.");
    }

    private static bool Fits(V1JSONSchemaProps schema, object? value) => schema.Type switch
    {
        "string" => value is string,
        "integer" => value is long,
        "number" => value is long or double,
        _ => schema.XKubernetesIntOrString == true && value is string or long,
    };

    private static void CheckList(PropertyInfo property, V1JSONSchemaProps schema)
    {
        Refuse(property, schema.Type != "array", $"[XListType] and [XListMapKeys] are for lists; the schema's type is '{schema.Type}'.");
        var item = (V1JSONSchemaProps)schema.Items;
        var keys = schema.XKubernetesListMapKeys ?? [];
        var isMap = schema.XKubernetesListType == "map";
        Refuse(property, keys.Count > 0 && !isMap, "[XListMapKeys] needs [XListType(XListType.Map)].");
        Refuse(property, schema.XKubernetesListType is "set" or "map" && item.Nullable == true, "items of a set or map list must not be nullable.");
        Refuse(
            property,
            schema.XKubernetesListType == "set" && (item.Type == "object" || (item.Type == "array" && item.XKubernetesListType is not (null or "atomic"))),
            "items of a set must be scalars.");
        if (isMap) CheckKeys(property, item, keys);
    }

    private static void CheckKeys(PropertyInfo property, V1JSONSchemaProps item, IList<string> keys)
    {
        Refuse(property, keys.Count == 0 || keys.Distinct(StringComparer.Ordinal).Count() != keys.Count, "a map list needs keys, each once: [XListMapKeys].");
        Refuse(property, item.Type != "object", $"items of a map list are objects; the schema's type is '{item.Type}'.");
        foreach (var key in keys)
        {
            V1JSONSchemaProps? field = null;
            Refuse(property, item.Properties?.TryGetValue(key, out field) != true, $"list key '{key}' is no property of the item.");
            Refuse(property, field!.Type is "object" or "array" || field.Nullable == true, $"list key '{key}' must be a scalar that is not nullable.");
            Refuse(property, item.Required?.Contains(key) != true, $"list key '{key}' must be [Required] on the item.");
        }
    }

    private static bool IsBlank(string? text) => text is { Length: > 0 } && string.IsNullOrWhiteSpace(text);

    private static bool HasBreak(string? text) => text?.AsSpan().ContainsAny('\n', '\r') == true;
}
