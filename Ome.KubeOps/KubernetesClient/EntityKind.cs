using System.Collections.Concurrent;
using k8s.Models;
using KubeOps.Abstractions.Entities;
using KubeOps.Transpiler;

namespace KubeOps.KubernetesClient;

/// <summary>How a class is addressed on the API server. The empty group is the core group.</summary>
internal sealed record EntityKind(string Group, string Version, string Plural, string Kind, bool IsClusterWide)
{
    private static readonly ConcurrentDictionary<Type, EntityKind> Known = new();

    // KubernetesClient's classes do not say their scope; these are the cluster-wide kinds an operator is likely to watch.
    private static readonly HashSet<Type> ClusterWide =
    [
        typeof(V1Node), typeof(V1Namespace), typeof(V1PersistentVolume), typeof(V1StorageClass), typeof(V1PriorityClass), typeof(V1ClusterRole),
        typeof(V1ClusterRoleBinding), typeof(V1CustomResourceDefinition), typeof(V1CSINode), typeof(V1CSIDriver), typeof(V1RuntimeClass),
    ];

    internal string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    internal static EntityKind Of<TEntity>() => Known.GetOrAdd(typeof(TEntity), static type =>
    {
        var (metadata, scope) = Entities.ToEntityMetadata(type);
        var isClusterWide = scope == nameof(EntityScope.Cluster) || ClusterWide.Contains(type);
        return new EntityKind(metadata.Group ?? string.Empty, metadata.Version, metadata.PluralName, metadata.Kind, isClusterWide);
    });
}
