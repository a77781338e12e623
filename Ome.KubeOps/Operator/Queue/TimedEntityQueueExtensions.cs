using k8s;
using k8s.Models;

namespace KubeOps.Operator.Queue;

/// <summary>The key of an object in words.</summary>
public static class TimedEntityQueueExtensions
{
    /// <summary><c>namespace/name</c>, or the name alone for a cluster-wide kind; null for an object without a name.</summary>
    public static string? GetKey<TEntity>(this ITimedEntityQueue<TEntity> queue, TEntity entity)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var (@namespace, name, _) = EntityKey.Of(entity);
        if (string.IsNullOrWhiteSpace(name)) return null;
        return string.IsNullOrWhiteSpace(@namespace) ? name : $"{@namespace}/{name}";
    }
}
