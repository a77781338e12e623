using System.Runtime.CompilerServices;
using System.Text.Json;
using k8s;
using k8s.Models;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Entities;
using KubeOps.KubernetesClient;

namespace KubeOps.Operator.Watcher;

/// <summary>The requests of a watch: a list in pages, then events from its resourceVersion on.</summary>
internal sealed class EntityFeed<TEntity>(IKubernetes kubernetes, OperatorSettings settings)
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private const int PageSize = 500;

    private static readonly EntityKind Kind = EntityKind.Of<TEntity>();

    // A cluster-wide kind has no namespaced path: the setting is for the others.
    private readonly string? _namespace = Kind.IsClusterWide ? null : settings.Namespace;

    internal async Task<(List<TEntity> Items, string ResourceVersion)> ListAsync(string? labels, string? fields, CancellationToken cancellationToken)
    {
        var items = new List<TEntity>();
        string? next = null;
        while (true)
        {
            var page = await ListPageAsync(labels, fields, next, cancellationToken);
            items.AddRange(page.Items.Select(WithKind));
            next = page.Metadata.ContinueProperty;
            if (string.IsNullOrEmpty(next)) return (items, page.Metadata.ResourceVersion);
        }
    }

    /// <summary>
    /// The entity is null when an event's object does not fit the class; its metadata is what can be told then.
    /// </summary>
    internal async IAsyncEnumerable<FeedEvent<TEntity>> WatchAsync(
        string resourceVersion, string? labels, string? fields, int timeoutSeconds, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new WatchRequest(_namespace, resourceVersion, labels, fields, AllowBookmarks: true, timeoutSeconds);
        await foreach (var (type, element) in kubernetes.CustomObjects.WatchAsync(Kind, request, cancellationToken))
        {
            var version = element.GetProperty("metadata").TryGetProperty("resourceVersion", out var text) ? text.GetString() : null;
            if (type is WatchEventType.Bookmark) yield return new FeedEvent<TEntity>(type, default, version, null);
            else yield return Read(type, element, version);
        }
    }

    private static FeedEvent<TEntity> Read(WatchEventType type, JsonElement element, string? version)
    {
        try
        {
            return new FeedEvent<TEntity>(type, KubernetesJson.Deserialize<TEntity>(element), version, null);
        }
        catch (JsonException misfit)
        {
            return new FeedEvent<TEntity>(type, default, version, misfit);
        }
    }

    // Items of core lists come without them.
    private static TEntity WithKind(TEntity item)
    {
        item.Kind ??= Kind.Kind;
        item.ApiVersion ??= Kind.ApiVersion;
        return item;
    }

    private async Task<EntityList<TEntity>> ListPageAsync(string? labels, string? fields, string? next, CancellationToken cancellationToken)
    {
        var objects = kubernetes.CustomObjects;
        using var response = string.IsNullOrEmpty(_namespace)
            ? await objects.ListClusterCustomObjectWithHttpMessagesAsync<EntityList<TEntity>>(
                Kind.Group, Kind.Version, Kind.Plural, labelSelector: labels, fieldSelector: fields, limit: PageSize, continueParameter: next,
                cancellationToken: cancellationToken)
            : await objects.ListNamespacedCustomObjectWithHttpMessagesAsync<EntityList<TEntity>>(
                Kind.Group, Kind.Version, _namespace, Kind.Plural, labelSelector: labels, fieldSelector: fields, limit: PageSize, continueParameter: next,
                cancellationToken: cancellationToken);
        return response.Body;
    }
}

/// <summary>One event; <paramref name="Misfit"/> says why there is no entity, for other than bookmarks.</summary>
internal readonly record struct FeedEvent<TEntity>(WatchEventType Type, TEntity? Entity, string? ResourceVersion, Exception? Misfit);
