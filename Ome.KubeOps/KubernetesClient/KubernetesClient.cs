using System.Runtime.CompilerServices;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeOps.Abstractions.Entities;

namespace KubeOps.KubernetesClient;

/// <summary><see cref="IKubernetesClient"/> over the custom-object operations of KubernetesClient, which serve core kinds as well.</summary>
public class KubernetesClient : IKubernetesClient
{
    private readonly KubernetesClientConfiguration _configuration;

    public KubernetesClient()
        : this(KubernetesClientConfiguration.BuildDefaultConfig())
    {
    }

    public KubernetesClient(KubernetesClientConfiguration clientConfig)
        : this(clientConfig, new Kubernetes(clientConfig))
    {
    }

    public KubernetesClient(KubernetesClientConfiguration clientConfig, IKubernetes client)
    {
        _configuration = clientConfig;
        ApiClient = client;
    }

    public IKubernetes ApiClient { get; }

    public Uri BaseUri => ApiClient.BaseUri;

    private ICustomObjectsOperations Objects => ApiClient.CustomObjects;

    public Task<string> GetCurrentNamespaceAsync(string downwardApiEnvName = "POD_NAMESPACE", CancellationToken cancellationToken = default) =>
        Task.FromResult(GetCurrentNamespace(downwardApiEnvName));

    public string GetCurrentNamespace(string downwardApiEnvName = "POD_NAMESPACE") => CurrentNamespace.Find(_configuration, downwardApiEnvName);

    public async Task<TEntity?> GetAsync<TEntity>(string name, string? @namespace = null, CancellationToken cancellationToken = default)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var kind = EntityKind.Of<TEntity>();
        try
        {
            using var response = string.IsNullOrEmpty(@namespace)
                ? await Objects.GetClusterCustomObjectWithHttpMessagesAsync<TEntity>(
                    kind.Group, kind.Version, kind.Plural, name, cancellationToken: cancellationToken)
                : await Objects.GetNamespacedCustomObjectWithHttpMessagesAsync<TEntity>(
                    kind.Group, kind.Version, @namespace, kind.Plural, name, cancellationToken: cancellationToken);
            return response.Body;
        }
        catch (HttpOperationException gone) when (gone.Response.StatusCode is System.Net.HttpStatusCode.NotFound)
        {
            return default;
        }
    }

    public TEntity? Get<TEntity>(string name, string? @namespace = null)
        where TEntity : IKubernetesObject<V1ObjectMeta> => Synchronously(() => GetAsync<TEntity>(name, @namespace));

    public async Task<IList<TEntity>> ListAsync<TEntity>(
        string? @namespace = null, string? labelSelector = null, string? fieldSelector = null, CancellationToken cancellationToken = default)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var kind = EntityKind.Of<TEntity>();
        using var response = string.IsNullOrEmpty(@namespace)
            ? await Objects.ListClusterCustomObjectWithHttpMessagesAsync<EntityList<TEntity>>(
                kind.Group, kind.Version, kind.Plural, labelSelector: labelSelector, fieldSelector: fieldSelector, cancellationToken: cancellationToken)
            : await Objects.ListNamespacedCustomObjectWithHttpMessagesAsync<EntityList<TEntity>>(
                kind.Group, kind.Version, @namespace, kind.Plural, labelSelector: labelSelector, fieldSelector: fieldSelector, cancellationToken: cancellationToken);
        return response.Body.Items;
    }

    public IList<TEntity> List<TEntity>(string? @namespace = null, string? labelSelector = null, string? fieldSelector = null)
        where TEntity : IKubernetesObject<V1ObjectMeta> => Synchronously(() => ListAsync<TEntity>(@namespace, labelSelector, fieldSelector));

    public async Task<TEntity> CreateAsync<TEntity>(TEntity entity, CancellationToken cancellationToken = default)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var kind = EntityKind.Of<TEntity>();
        using var response = entity.Namespace() is { Length: > 0 } @namespace
            ? await Objects.CreateNamespacedCustomObjectWithHttpMessagesAsync<TEntity>(
                entity, kind.Group, kind.Version, @namespace, kind.Plural, cancellationToken: cancellationToken)
            : await Objects.CreateClusterCustomObjectWithHttpMessagesAsync<TEntity>(
                entity, kind.Group, kind.Version, kind.Plural, cancellationToken: cancellationToken);
        return response.Body;
    }

    public async Task<TEntity> UpdateAsync<TEntity>(TEntity entity, CancellationToken cancellationToken = default)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var kind = EntityKind.Of<TEntity>();
        using var response = entity.Namespace() is { Length: > 0 } @namespace
            ? await Objects.ReplaceNamespacedCustomObjectWithHttpMessagesAsync<TEntity>(
                entity, kind.Group, kind.Version, @namespace, kind.Plural, entity.Name(), cancellationToken: cancellationToken)
            : await Objects.ReplaceClusterCustomObjectWithHttpMessagesAsync<TEntity>(
                entity, kind.Group, kind.Version, kind.Plural, entity.Name(), cancellationToken: cancellationToken);
        return response.Body;
    }

    public async Task<TEntity> UpdateStatusAsync<TEntity>(TEntity entity, CancellationToken cancellationToken = default)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var kind = EntityKind.Of<TEntity>();
        using var response = entity.Namespace() is { Length: > 0 } @namespace
            ? await Objects.ReplaceNamespacedCustomObjectStatusWithHttpMessagesAsync<TEntity>(
                entity, kind.Group, kind.Version, @namespace, kind.Plural, entity.Name(), cancellationToken: cancellationToken)
            : await Objects.ReplaceClusterCustomObjectStatusWithHttpMessagesAsync<TEntity>(
                entity, kind.Group, kind.Version, kind.Plural, entity.Name(), cancellationToken: cancellationToken);
        return response.Body;
    }

    public TEntity UpdateStatus<TEntity>(TEntity entity)
        where TEntity : IKubernetesObject<V1ObjectMeta> => Synchronously(() => UpdateStatusAsync(entity));

    public async Task<TEntity> PatchAsync<TEntity>(
        V1Patch patch,
        string name,
        string? @namespace = null,
        string? fieldManager = null,
        bool? force = null,
        string? dryRun = null,
        CancellationToken cancellationToken = default)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var kind = EntityKind.Of<TEntity>();
        using var response = string.IsNullOrEmpty(@namespace)
            ? await Objects.PatchClusterCustomObjectWithHttpMessagesAsync<TEntity>(
                patch, kind.Group, kind.Version, kind.Plural, name, dryRun, fieldManager, force: force, cancellationToken: cancellationToken)
            : await Objects.PatchNamespacedCustomObjectWithHttpMessagesAsync<TEntity>(
                patch, kind.Group, kind.Version, @namespace, kind.Plural, name, dryRun, fieldManager, force: force, cancellationToken: cancellationToken);
        return response.Body;
    }

    public async Task DeleteAsync<TEntity>(string name, string? @namespace = null, CancellationToken cancellationToken = default)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var kind = EntityKind.Of<TEntity>();
        try
        {
            using var response = string.IsNullOrEmpty(@namespace)
                ? await Objects.DeleteClusterCustomObjectWithHttpMessagesAsync(
                    kind.Group, kind.Version, kind.Plural, name, cancellationToken: cancellationToken)
                : await Objects.DeleteNamespacedCustomObjectWithHttpMessagesAsync(
                    kind.Group, kind.Version, @namespace, kind.Plural, name, cancellationToken: cancellationToken);
        }
        catch (HttpOperationException gone) when (gone.Response.StatusCode is System.Net.HttpStatusCode.NotFound)
        {
            // Gone is what was asked for.
        }
    }

    public Watcher<TEntity> Watch<TEntity>(
        Action<WatchEventType, TEntity> onEvent,
        Action<Exception>? onError = null,
        Action? onClose = null,
        string? @namespace = null,
        TimeSpan? timeout = null,
        bool? allowWatchBookmarks = null,
        string? resourceVersion = null,
        string? labelSelector = null,
        string? fieldSelector = null,
        CancellationToken cancellationToken = default)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var kind = EntityKind.Of<TEntity>();
        var seconds = timeout is { } limit ? (int?)limit.TotalSeconds : null;
        var response = string.IsNullOrEmpty(@namespace)
            ? Objects.ListClusterCustomObjectWithHttpMessagesAsync<EntityList<TEntity>>(
                kind.Group, kind.Version, kind.Plural, allowWatchBookmarks, fieldSelector: fieldSelector, labelSelector: labelSelector,
                resourceVersion: resourceVersion, timeoutSeconds: seconds, watch: true, cancellationToken: cancellationToken)
            : Objects.ListNamespacedCustomObjectWithHttpMessagesAsync<EntityList<TEntity>>(
                kind.Group, kind.Version, @namespace, kind.Plural, allowWatchBookmarks, fieldSelector: fieldSelector, labelSelector: labelSelector,
                resourceVersion: resourceVersion, timeoutSeconds: seconds, watch: true, cancellationToken: cancellationToken);
#pragma warning disable CS0618 // Its replacement exists for generated kinds only, and this method must return Watcher<TEntity>.
        return response.Watch(onEvent, onError, onClose);
#pragma warning restore CS0618
    }

    public async IAsyncEnumerable<(WatchEventType Type, TEntity Entity)> WatchAsync<TEntity>(
        string? @namespace = null,
        string? resourceVersion = null,
        string? labelSelector = null,
        string? fieldSelector = null,
        bool? allowWatchBookmarks = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
        where TEntity : IKubernetesObject<V1ObjectMeta>
    {
        var request = new WatchRequest(@namespace, resourceVersion, labelSelector, fieldSelector, allowWatchBookmarks);
        await foreach (var (type, element) in Objects.WatchAsync(EntityKind.Of<TEntity>(), request, cancellationToken))
            yield return (type, KubernetesJson.Deserialize<TEntity>(element));
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing) ApiClient.Dispose();
    }

    // On the pool, so that no caller's context can deadlock.
    private static T Synchronously<T>(Func<Task<T>> call) =>
#pragma warning disable VSTHRD002 // KubeOps' interface has these synchronous twins; they are for start-up code.
        Task.Run(call).GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
}
