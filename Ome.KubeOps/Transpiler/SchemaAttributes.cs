using System.Reflection;
using System.Text.Json;
using k8s.Models;
using KubeOps.Abstractions.Entities.Attributes;

namespace KubeOps.Transpiler;

/// <summary>What a property's attributes add to the schema of its type. Description and title of the type's own class win.</summary>
internal static class SchemaAttributes
{
    internal static void Apply(PropertyInfo property, V1JSONSchemaProps schema)
    {
        schema.Description ??= property.Find<DescriptionAttribute>()?.Text(0);
        schema.Title ??= property.Find<TitleAttribute>()?.Text(0);
        if (IsNullable(property)) schema.Nullable = true;
        if (property.Find<DefaultValueAttribute>() is { } value) schema.DefaultProperty = Value(property, value);
        if (property.Find<ExampleAttribute>() is { } example) schema.Example = Value(property, example);
        if (property.Find<FormatAttribute>() is { } format) schema.Format = format.Text(0);
        if (property.Find<EnumValuesAttribute>() is { } values) schema.EnumProperty = [.. values.List(0)!];
        if (property.Find<ExternalDocsAttribute>() is { } docs)
            schema.ExternalDocs = new V1ExternalDocumentation { Url = docs.Text(0), Description = docs.Text(1) };

        ApplyBounds(property, schema);
        ApplyShape(property, schema);
        if (SchemaMapper.Rules(property, property.FindAll<ValidationRuleAttribute>()) is { } rules)
            schema.XKubernetesValidations = [.. schema.XKubernetesValidations ?? [], .. rules];
    }

    internal static object? Value(MemberInfo member, CustomAttributeData attribute)
    {
        var value = attribute.Argument(0);
        if (attribute.Named("Json") is not true) return value;
        if (value is not string json) throw new SchemaException(member, $"{attribute.AttributeType.Name} has Json = true, and a value that is not text.");
        try
        {
            using var document = JsonDocument.Parse(json);
            return FromJson(document.RootElement);
        }
        catch (JsonException problem)
        {
            throw new SchemaException(member, $"{attribute.AttributeType.Name} is not JSON: {problem.Message}");
        }
    }

    private static void ApplyBounds(PropertyInfo property, V1JSONSchemaProps schema)
    {
        if (property.Find<LengthAttribute>() is { } length) (schema.MinLength, schema.MaxLength) = Bounds(length);
        if (property.Find<ItemsAttribute>() is { } items) (schema.MinItems, schema.MaxItems) = Bounds(items);
        if (property.Find<PropertyLimitsAttribute>() is { } limits) (schema.MinProperties, schema.MaxProperties) = Bounds(limits);
        if (property.Find<PatternAttribute>() is { } pattern) schema.Pattern = pattern.Text(0);
        if (property.Find<MultipleOfAttribute>() is { } multiple) schema.MultipleOf = (double)multiple.Argument(0)!;
        if (property.Find<RangeMinimumAttribute>() is { } minimum)
            (schema.Minimum, schema.ExclusiveMinimum) = ((double)minimum.Argument(0)!, (bool)minimum.Argument(1)!);
        if (property.Find<RangeMaximumAttribute>() is { } maximum)
            (schema.Maximum, schema.ExclusiveMaximum) = ((double)maximum.Argument(0)!, (bool)maximum.Argument(1)!);
    }

    private static void ApplyShape(PropertyInfo property, V1JSONSchemaProps schema)
    {
        if (property.Find<XListTypeAttribute>() is { } list) schema.XKubernetesListType = ((XListType)list.Argument(0)!).ToString().ToLowerInvariant();
        if (property.Find<XListMapKeysAttribute>() is { } keys) schema.XKubernetesListMapKeys = [.. keys.List(0).Cast<string>()];
        if (property.Find<XMapTypeAttribute>() is { } map) schema.XKubernetesMapType = ((XMapType)map.Argument(0)!).ToString().ToLowerInvariant();
        if (property.Has<PreserveUnknownFieldsAttribute>()) schema.XKubernetesPreserveUnknownFields = true;
    }

    private static (long? Least, long? Most) Bounds(CustomAttributeData attribute) => (Bound(attribute.Argument(0)), Bound(attribute.Argument(1)));

    private static long? Bound(object? value) => value is long bound and not -1 ? bound : null;

    private static bool IsNullable(PropertyInfo property) => new NullabilityInfoContext().Create(property).ReadState is NullabilityState.Nullable;

    private static object? FromJson(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().ToDictionary(member => member.Name, member => FromJson(member.Value), StringComparer.Ordinal),
        JsonValueKind.Array => element.EnumerateArray().Select(FromJson).ToList(),
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Number when element.TryGetInt64(out var whole) => whole,
        JsonValueKind.Number => element.GetDouble(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };
}
