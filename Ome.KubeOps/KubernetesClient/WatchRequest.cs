using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using k8s;

namespace KubeOps.KubernetesClient;

/// <summary>What a watch asks for.</summary>
internal sealed record WatchRequest(
    string? Namespace, string? ResourceVersion, string? LabelSelector, string? FieldSelector, bool? AllowBookmarks, int? TimeoutSeconds = null);

internal static class WatchRequests
{
    /// <summary>
    /// The events of one watch as JSON, so that one object that does not fit the class costs itself only. Ends when the server
    /// closes; an ERROR event throws <see cref="KubernetesException"/>.
    /// </summary>
    internal static async IAsyncEnumerable<(WatchEventType Type, JsonElement Object)> WatchAsync(
        this ICustomObjectsOperations objects, EntityKind kind, WatchRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var events = string.IsNullOrEmpty(request.Namespace)
            ? objects.WatchListClusterCustomObjectAsync(
                kind.Group, kind.Version, kind.Plural, request.AllowBookmarks, fieldSelector: request.FieldSelector,
                labelSelector: request.LabelSelector, resourceVersion: request.ResourceVersion, timeoutSeconds: request.TimeoutSeconds,
                onError: Throw, cancellationToken: cancellationToken)
            : objects.WatchListNamespacedCustomObjectAsync(
                kind.Group, kind.Version, request.Namespace, kind.Plural, request.AllowBookmarks, fieldSelector: request.FieldSelector,
                labelSelector: request.LabelSelector, resourceVersion: request.ResourceVersion, timeoutSeconds: request.TimeoutSeconds,
                onError: Throw, cancellationToken: cancellationToken);
        await foreach (var (type, value) in events)
            if (value is JsonElement element) yield return (type, element);
    }

    private static void Throw(Exception error) => ExceptionDispatchInfo.Throw(error);
}
