using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using k8s.Models;
using KubeOps.Abstractions.Entities.Attributes;

namespace KubeOps.Transpiler;

/// <summary>Properties and classes to schemas. <c>path</c> holds the classes above, so that a cycle is found.</summary>
internal static class SchemaMapper
{
    internal static string NameOf(PropertyInfo property) =>
        JsonNamingPolicy.CamelCase.ConvertName(property.Find<JsonPropertyNameAttribute>()?.Text(0) ?? property.Name);

    internal static bool IsRequired(PropertyInfo property) => property.Has<RequiredAttribute>() && !property.Has<IgnoreAttribute>();

    internal static IDictionary<string, V1JSONSchemaProps> MapAll(IEnumerable<PropertyInfo> properties, IReadOnlyList<Type> path) =>
        properties
            .Select(property => (Name: NameOf(property), Schema: Map(property, path)))
            .OrderBy(mapped => mapped.Name, StringComparer.Ordinal)
            .ToDictionary(mapped => mapped.Name, mapped => mapped.Schema, StringComparer.Ordinal);

    internal static List<string>? ListOrNull(IEnumerable<string> names) => names.Order(StringComparer.Ordinal).ToList() is { Count: > 0 } list ? list : null;

    internal static V1JSONSchemaProps Map(PropertyInfo property, IReadOnlyList<Type> path)
    {
        var schema = MapType(property, path);
        SchemaAttributes.Apply(property, schema);
        SchemaChecks.Check(property, schema);
        return schema;
    }

    internal static List<V1ValidationRule>? Rules(MemberInfo member, IEnumerable<CustomAttributeData> attributes)
    {
        var rules = attributes.Select(rule => new V1ValidationRule
        {
            Rule = rule.Text(0),
            FieldPath = rule.Text(1),
            Message = rule.Text(2),
            MessageExpression = rule.Text(3),
            Reason = rule.Text(4),
        }).ToList();
        foreach (var rule in rules) SchemaChecks.Check(member, rule);
        return rules.Count > 0 ? rules : null;
    }

    private static V1JSONSchemaProps MapType(PropertyInfo property, IReadOnlyList<Type> path)
    {
        if (property.Has<EmbeddedResourceAttribute>())
            return new V1JSONSchemaProps { Type = "object", XKubernetesPreserveUnknownFields = true, XKubernetesEmbeddedResource = true };
        try
        {
            return TypeMapper.Map(property.PropertyType, path);
        }
        catch (SchemaException) when (property.Has<PreserveUnknownFieldsAttribute>())
        {
            // What has no schema may still be kept, unread.
            return new V1JSONSchemaProps { Type = "object" };
        }
    }
}
