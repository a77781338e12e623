using System.Collections;
using System.Reflection;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;
using KubeOps.Abstractions.Entities.Attributes;

namespace KubeOps.Transpiler;

/// <summary>CLR types to schemas.</summary>
internal static class TypeMapper
{
    private static readonly Dictionary<string, (string Type, string? Format)> Scalars = new(StringComparer.Ordinal)
    {
        ["System.String"] = ("string", null),
        ["System.Boolean"] = ("boolean", null),
        ["System.Int32"] = ("integer", "int32"),
        ["System.Int64"] = ("integer", "int64"),
        ["System.Single"] = ("number", "float"),
        ["System.Double"] = ("number", "double"),
        ["System.Decimal"] = ("number", "decimal"),
        ["System.DateTime"] = ("string", "date-time"),
        ["System.DateTimeOffset"] = ("string", "date-time"),
        ["System.Guid"] = ("string", "uuid"),
        ["k8s.Models.ResourceQuantity"] = ("string", null),
        ["k8s.Models.V1ObjectMeta"] = ("object", null),
    };

    internal static V1JSONSchemaProps Map(Type type, IReadOnlyList<Type> path)
    {
        if (Scalars.TryGetValue(type.FullName ?? string.Empty, out var scalar)) return new V1JSONSchemaProps { Type = scalar.Type, Format = scalar.Format };
        if (type.FullName == "System.Object") return Opaque();
        if (type.FullName == "k8s.Models.IntOrString") return new V1JSONSchemaProps { XKubernetesIntOrString = true };
        if (type.IsGenericType && type.GetGenericTypeDefinition().FullName == typeof(Nullable<>).FullName) return Nullable(type.GenericTypeArguments[0], path);
        if (Implements(type, typeof(IDictionary<,>)) is { } dictionary) return DictionaryOf(dictionary.GenericTypeArguments[1], path);
        if (Implements(type, typeof(IDictionary)) is not null) return Opaque();
        if (Implements(type, typeof(IEnumerable<>)) is { } sequence) return Sequence(sequence.GenericTypeArguments[0], path);
        if (type.IsEnum) return new V1JSONSchemaProps { Type = "string", EnumProperty = EnumNames(type) };
        if (type.IsValueType || type.IsInterface) throw new SchemaException(type, "there is no schema for this type.");
        return IsKubernetesResource(type) ? EmbeddedResource() : Object(type, path);
    }

    private static V1JSONSchemaProps Nullable(Type inner, IReadOnlyList<Type> path)
    {
        var schema = Map(inner, path);
        schema.Nullable = true;
        return schema;
    }

    private static V1JSONSchemaProps Opaque() => new() { Type = "object", XKubernetesPreserveUnknownFields = true };

    private static V1JSONSchemaProps EmbeddedResource() =>
        new() { Type = "object", XKubernetesPreserveUnknownFields = true, XKubernetesEmbeddedResource = true };

    private static V1JSONSchemaProps DictionaryOf(Type value, IReadOnlyList<Type> path) => new() { Type = "object", AdditionalProperties = Map(value, path) };

    private static V1JSONSchemaProps Sequence(Type item, IReadOnlyList<Type> path) =>
        item.IsGenericType && item.GetGenericTypeDefinition().FullName == typeof(KeyValuePair<,>).FullName
            ? DictionaryOf(item.GenericTypeArguments[1], path)
            : new V1JSONSchemaProps { Type = "array", Items = Map(item, path) };

    private static V1JSONSchemaProps Object(Type type, IReadOnlyList<Type> path)
    {
        if (path.Contains(type)) throw new SchemaException(type, "it contains itself. Break the cycle, or mark the property [PreserveUnknownFields] or [Ignore].");
        var keepsUnknown = type.Has<PreserveUnknownFieldsAttribute>();
        V1JSONSchemaProps schema;
        try
        {
            var properties = type.GetProperties().Where(property => !property.Has<IgnoreAttribute>()).ToList();
            schema = new V1JSONSchemaProps
            {
                Type = "object",
                Description = type.Find<DescriptionAttribute>()?.Text(0),
                Title = type.Find<TitleAttribute>()?.Text(0),
                Properties = SchemaMapper.MapAll(properties, [.. path, type]),
                Required = SchemaMapper.ListOrNull(properties.Where(SchemaMapper.IsRequired).Select(SchemaMapper.NameOf)),
                XKubernetesPreserveUnknownFields = keepsUnknown ? true : null,
                XKubernetesValidations = SchemaMapper.Rules(type, type.FindInherited<ValidationRuleAttribute>()),
            };
        }
        catch (SchemaException) when (keepsUnknown)
        {
            schema = Opaque();
        }

        if (type.FindInherited<DefaultValueAttribute>().FirstOrDefault() is { } value) schema.DefaultProperty = SchemaAttributes.Value(type, value);
        return schema;
    }

    // A kind of KubernetesClient itself (V1Pod), as against the parts of one (V1Condition), which are walked.
    private static bool IsKubernetesResource(Type type) =>
        type is { IsAbstract: false, Namespace: "k8s.Models" }
        && type.GetInterfaces().Any(face => face.FullName == typeof(IKubernetesObject).FullName && face.Assembly == type.Assembly);

    private static Type? Implements(Type type, Type wanted) =>
        type.GetInterfaces().Append(type).FirstOrDefault(face => (face.IsGenericType ? face.GetGenericTypeDefinition() : face).FullName == wanted.FullName);

    private static List<object> EnumNames(Type type) =>
        [.. type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => field.Find<JsonStringEnumMemberNameAttribute>()?.Text(0) ?? field.Name)];
}
