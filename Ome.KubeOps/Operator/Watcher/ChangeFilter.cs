using k8s;
using k8s.Models;
using KubeOps.Abstractions.Builder;

namespace KubeOps.Operator.Watcher;

/// <summary>
/// Remembers what the watch has shown: which events are news, and which objects a list no longer has. One loop uses it.
/// </summary>
internal sealed class ChangeFilter<TEntity>(ReconcileStrategy strategy)
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private readonly Dictionary<string, Seen> _seen = new(StringComparer.Ordinal);

    /// <summary>Whether the object has to be looked at.</summary>
    internal bool IsNews(TEntity entity) =>
        !_seen.TryGetValue(entity.Uid(), out var seen) || (seen.Version != entity.ResourceVersion() && seen.Token != Token(entity));

    internal bool IsKnown(TEntity entity) => _seen.ContainsKey(entity.Uid());

    /// <summary>The object was handed on.</summary>
    internal void Accept(TEntity entity) => _seen[entity.Uid()] = new Seen(entity, entity.ResourceVersion(), Token(entity));

    /// <summary>Nothing new, but the newest state is what a deletion reports.</summary>
    internal void Refresh(TEntity entity)
    {
        if (_seen.TryGetValue(entity.Uid(), out var seen)) _seen[entity.Uid()] = seen with { Entity = entity, Version = entity.ResourceVersion() };
    }

    internal void Forget(TEntity entity) => _seen.Remove(entity.Uid());

    internal void Clear() => _seen.Clear();

    /// <summary>The last seen state of every object whose uid is not among those listed.</summary>
    internal List<TEntity> MissingFrom(IEnumerable<string?> listed)
    {
        var present = listed.ToHashSet(StringComparer.Ordinal);
        return [.. _seen.Where(seen => !present.Contains(seen.Key)).Select(seen => seen.Value.Entity)];
    }

    // Kinds without a generation (ConfigMap, Node) are news with every resourceVersion.
    private string Token(TEntity entity)
    {
        var metadata = entity.Metadata;
        if (strategy is ReconcileStrategy.ByResourceVersion || metadata.Generation is null or 0) return "v" + metadata.ResourceVersion;
        return $"g{metadata.Generation} {metadata.DeletionTimestamp:O} {string.Join(' ', metadata.Finalizers ?? [])}";
    }

    private sealed record Seen(TEntity Entity, string? Version, string Token);
}
