using k8s;
using k8s.Models;

namespace KubeOps.Operator.Queue;

/// <summary>Which object: two objects of one name, one after the other, are two.</summary>
internal readonly record struct EntityKey(string Namespace, string Name, string Uid)
{
    internal static EntityKey Of(IKubernetesObject<V1ObjectMeta> entity)
    {
        var metadata = entity.Metadata;
        return new EntityKey(metadata?.NamespaceProperty ?? string.Empty, metadata?.Name ?? string.Empty, metadata?.Uid ?? string.Empty);
    }
}
