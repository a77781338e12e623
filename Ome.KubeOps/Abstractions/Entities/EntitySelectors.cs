using k8s;
using k8s.Models;

namespace KubeOps.Abstractions.Entities;

/// <summary>Says which labels a controller's watch asks for. Asked again at each list; null means no filter.</summary>
public interface IEntityLabelSelector<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    ValueTask<string?> GetLabelSelectorAsync(CancellationToken cancellationToken);
}

/// <summary>Says which fields a controller's watch asks for. Asked again at each list; null means no filter.</summary>
public interface IEntityFieldSelector<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    ValueTask<string?> GetFieldSelectorAsync(CancellationToken cancellationToken);
}

/// <summary>No label filter.</summary>
public sealed class DefaultEntityLabelSelector<TEntity> : IEntityLabelSelector<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    public ValueTask<string?> GetLabelSelectorAsync(CancellationToken cancellationToken) => new((string?)null);
}

/// <summary>No field filter.</summary>
public sealed class DefaultEntityFieldSelector<TEntity> : IEntityFieldSelector<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    public ValueTask<string?> GetFieldSelectorAsync(CancellationToken cancellationToken) => new((string?)null);
}
