using System.Runtime.CompilerServices;
using System.Text.Json;
using k8s;
using k8s.Models;
using KubeOps.Abstractions.Builder;
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

    internal async Task<FeedList<TEntity>> ListAsync(string? labels, string? fields, CancellationToken cancellationToken)
    {
        var items = new List<FeedEvent<TEntity>>();
        string? next = null;
        while (true)
        {
            var page = await ListPageAsync(labels, fields, next, cancellationToken);
            items.AddRange(page.GetProperty("items").EnumerateArray().Select(item => Read(WatchEventType.Added, item)));
            next = Metadata(page, "continue");
            if (string.IsNullOrEmpty(next)) return new FeedList<TEntity>(items, Metadata(page, "resourceVersion") ?? string.Empty);
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
            yield return type is WatchEventType.Bookmark
                ? new FeedEvent<TEntity>(type, default, null, Metadata(element, "resourceVersion"), null)
                : Read(type, element);
        }
    }

    // One by one: an object that does not fit the class must not keep the others out.
    private static FeedEvent<TEntity> Read(WatchEventType type, JsonElement element)
    {
        var (uid, version) = (Metadata(element, "uid"), Metadata(element, "resourceVersion"));
        try
        {
            return new FeedEvent<TEntity>(type, WithKind(KubernetesJson.Deserialize<TEntity>(element)), uid, version, null);
        }
        catch (JsonException misfit)
        {
            return new FeedEvent<TEntity>(type, default, uid, version, misfit);
        }
    }

    private static string? Metadata(JsonElement element, string name) =>
        element.TryGetProperty("metadata", out var metadata) && metadata.TryGetProperty(name, out var value) ? value.GetString() : null;

    // Items of core lists come without them.
    private static TEntity WithKind(TEntity item)
    {
        item.Kind ??= Kind.Kind;
        item.ApiVersion ??= Kind.ApiVersion;
        return item;
    }

    private async Task<JsonElement> ListPageAsync(string? labels, string? fields, string? next, CancellationToken cancellationToken)
    {
        var objects = kubernetes.CustomObjects;
        using var response = string.IsNullOrEmpty(_namespace)
            ? await objects.ListClusterCustomObjectWithHttpMessagesAsync<JsonElement>(
                Kind.Group, Kind.Version, Kind.Plural, labelSelector: labels, fieldSelector: fields, limit: PageSize, continueParameter: next,
                cancellationToken: cancellationToken)
            : await objects.ListNamespacedCustomObjectWithHttpMessagesAsync<JsonElement>(
                Kind.Group, Kind.Version, _namespace, Kind.Plural, labelSelector: labels, fieldSelector: fields, limit: PageSize, continueParameter: next,
                cancellationToken: cancellationToken);
        return response.Body;
    }
}

/// <summary>One event, or one item of a list; <paramref name="Misfit"/> says why there is no entity, for other than bookmarks.</summary>
internal readonly record struct FeedEvent<TEntity>(WatchEventType Type, TEntity? Entity, string? Uid, string? ResourceVersion, Exception? Misfit);

/// <summary>All objects, and the version a watch goes on from.</summary>
internal sealed record FeedList<TEntity>(IReadOnlyList<FeedEvent<TEntity>> Items, string ResourceVersion);
