using System.Reflection;
using k8s.Models;
using KubeOps.Abstractions.Entities.Attributes;
using KubeOps.Transpiler.Exceptions;

namespace KubeOps.Transpiler;

/// <summary>Makes CustomResourceDefinitions from entity classes.</summary>
public static class Crds
{
    private static readonly string[] ServerOwned = ["metadata", "apiVersion", "kind"];

    /// <summary>One class, one version.</summary>
    /// <exception cref="TranspilationFailedException">A member has no valid schema.</exception>
    public static V1CustomResourceDefinition Transpile(
        this MetadataLoadContext context, Type type, IInheritedAttributeResolver? inheritedAttributeResolver = null)
    {
        var entity = context.GetContextType(type);
        try
        {
            return Definition(entity, inheritedAttributeResolver ?? ReflectionInheritedAttributeResolver.Default);
        }
        catch (SchemaException problem)
        {
            throw new TranspilationFailedException($"{entity.FullName} cannot become a CRD. {problem.Message}", problem);
        }
    }

    /// <summary>
    /// All classes that are entities of the user's own; several versions of a kind become one definition, whose stored version is the
    /// marked one, else the highest.
    /// </summary>
    public static IEnumerable<V1CustomResourceDefinition> Transpile(
        this MetadataLoadContext context, IEnumerable<Type> types, IInheritedAttributeResolver? inheritedAttributeResolver = null) =>
        types
            .Select(context.GetContextType)
            .Where(type => type.Has<KubernetesEntityAttribute>() && !type.Has<IgnoreAttribute>())
            .Where(type => type.Assembly != context.GetContextType<KubernetesEntityAttribute>().Assembly)
            .Select(type => (IsStored: type.Has<StorageVersionAttribute>(), Definition: context.Transpile(type, inheritedAttributeResolver)))
            .GroupBy(version => version.Definition.Metadata.Name, StringComparer.Ordinal)
            .Select(kind => Merge([.. kind]));

    private static V1CustomResourceDefinition Definition(Type entity, IInheritedAttributeResolver resolver)
    {
        var (metadata, scope) = Entities.ToEntityMetadata(entity);
        return new V1CustomResourceDefinition
        {
            ApiVersion = $"{V1CustomResourceDefinition.KubeGroup}/{V1CustomResourceDefinition.KubeApiVersion}",
            Kind = V1CustomResourceDefinition.KubeKind,
            Metadata = new V1ObjectMeta { Name = $"{metadata.PluralName}.{metadata.Group}" },
            Spec = new V1CustomResourceDefinitionSpec
            {
                Group = metadata.Group,
                Scope = scope,
                Names = new V1CustomResourceDefinitionNames
                {
                    Kind = metadata.Kind,
                    ListKind = metadata.ListKind,
                    Singular = metadata.SingularName,
                    Plural = metadata.PluralName,
                    ShortNames = entity.Find<KubernetesEntityShortNamesAttribute>()?.List(0).Cast<string>().ToList(),
                },
                Versions =
                [
                    new V1CustomResourceDefinitionVersion
                    {
                        Name = metadata.Version,
                        Served = true,
                        Storage = true,
                        Subresources = Subresources(entity),
                        Schema = new V1CustomResourceValidation { OpenAPIV3Schema = RootSchema(entity) },
                        AdditionalPrinterColumns = PrinterColumns.Of(entity, resolver) is { Count: > 0 } columns ? columns : null,
                    },
                ],
            },
        };
    }

    private static V1JSONSchemaProps RootSchema(Type entity)
    {
        var properties = entity.GetProperties()
            .Where(property => !property.Has<IgnoreAttribute>() && !ServerOwned.Contains(property.Name, StringComparer.OrdinalIgnoreCase))
            .ToList();
        return new V1JSONSchemaProps
        {
            Type = "object",
            Description = entity.Find<DescriptionAttribute>()?.Text(0),
            Title = entity.Find<TitleAttribute>()?.Text(0),
            Properties = SchemaMapper.MapAll(properties, []),
            Required = SchemaMapper.ListOrNull(properties.Where(IsRequiredSpec).Select(SchemaMapper.NameOf)),
            XKubernetesValidations = SchemaMapper.Rules(entity, entity.FindInherited<ValidationRuleAttribute>()),
        };
    }

    private static bool IsRequiredSpec(PropertyInfo property) =>
        property.Name.Equals("spec", StringComparison.OrdinalIgnoreCase)
        && (property.PropertyType.Has<RequiredAttribute>() || property.PropertyType.GetProperties().Any(SchemaMapper.IsRequired));

    private static V1CustomResourceSubresources? Subresources(Type entity)
    {
        const BindingFlags AnyCase = BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase;
        var hasStatus = entity.GetProperty("status", AnyCase) is not null;
        var scale = entity.Find<ScaleSubresourceAttribute>();
        if (!hasStatus && scale is null) return null;
        return new V1CustomResourceSubresources
        {
            Status = hasStatus ? new object() : null,
            Scale = scale is null ? null : new V1CustomResourceSubresourceScale
            {
                SpecReplicasPath = scale.Text(0),
                StatusReplicasPath = scale.Text(1),
                LabelSelectorPath = scale.Text(2),
            },
        };
    }

    private static V1CustomResourceDefinition Merge(IReadOnlyList<(bool IsStored, V1CustomResourceDefinition Definition)> versions)
    {
        if (versions.Count(version => version.IsStored) > 1)
            throw new ArgumentException($"{versions[0].Definition.Metadata.Name} has several versions marked [StorageVersion]; one can be stored.", nameof(versions));
        foreach (var (isStored, definition) in versions) definition.Spec.Versions[0].Storage = isStored;

        var merged = versions[0].Definition;
        merged.Spec.Versions = [.. versions.Select(version => version.Definition.Spec.Versions[0]).OrderByDescending(version => version.Name, new KubernetesVersionOrder())];
        if (!versions.Any(version => version.IsStored)) merged.Spec.Versions[0].Storage = true;
        return merged;
    }
}
