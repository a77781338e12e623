using k8s;
using k8s.Models;

namespace KubeOps.Abstractions.Events;

/// <summary>The type of an Event.</summary>
public enum EventType
{
    Normal,
    Warning,
}

/// <summary>
/// Publishes a core/v1 Event about an object; a repeat raises its count. Never throws for a failed request: that is logged.
/// Keep messages constant: each new text is a new Event.
/// </summary>
public delegate Task EventPublisher(
    IKubernetesObject<V1ObjectMeta> entity,
    string reason,
    string message,
    EventType type = EventType.Normal,
    CancellationToken cancellationToken = default);

/// <summary>Makes publishers.</summary>
public interface IEventPublisherFactory
{
    EventPublisher Create();
}

/// <summary>Builds the Event. The same facts must give the same name: that is how repeats are counted.</summary>
public interface IEventResourceFactory
{
    Corev1Event CreateEvent(IKubernetesObject<V1ObjectMeta> entity, string reason, string message, EventType type);
}
