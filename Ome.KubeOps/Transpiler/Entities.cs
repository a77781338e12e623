using System.Reflection;
using k8s.Models;
using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Entities.Attributes;

namespace KubeOps.Transpiler;

/// <summary>Reads how a kind is named. Without a kind, the class name; without a version, v1; without a scope, namespaced.</summary>
public static class Entities
{
    public static (EntityMetadata Metadata, string Scope) ToEntityMetadata(this MetadataLoadContext context, Type entityType) =>
        ToEntityMetadata(context.GetContextType(entityType));

    public static (EntityMetadata Metadata, string Scope) ToEntityMetadata<TEntity>() => ToEntityMetadata(typeof(TEntity));

    /// <summary>Reads a class of the running program, or of a context.</summary>
    /// <exception cref="ArgumentException">The class has no <c>[KubernetesEntity]</c>.</exception>
    public static (EntityMetadata Metadata, string Scope) ToEntityMetadata(Type entityType)
    {
        var entity = entityType.Find<KubernetesEntityAttribute>()
            ?? throw new ArgumentException($"{entityType.FullName} has no [KubernetesEntity]; it cannot be used as a Kubernetes kind.", nameof(entityType));
        var metadata = new EntityMetadata(
            Text(entity, nameof(KubernetesEntityAttribute.Kind)) ?? entityType.Name,
            Text(entity, nameof(KubernetesEntityAttribute.ApiVersion)) ?? "v1",
            entity.Named(nameof(KubernetesEntityAttribute.Group)) as string,
            entity.Named(nameof(KubernetesEntityAttribute.PluralName)) as string);
        var isCluster = entityType.Find<EntityScopeAttribute>()?.Argument(0) is (int)EntityScope.Cluster;
        return (metadata, isCluster ? nameof(EntityScope.Cluster) : nameof(EntityScope.Namespaced));
    }

    private static string? Text(CustomAttributeData entity, string name) =>
        entity.Named(name) is string text && !string.IsNullOrWhiteSpace(text) ? text : null;
}
