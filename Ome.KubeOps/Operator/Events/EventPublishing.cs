using System.Security.Cryptography;
using System.Text;
using k8s;
using k8s.Models;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Events;
using KubeOps.KubernetesClient;
using Microsoft.Extensions.Logging;

namespace KubeOps.Operator.Events;

/// <summary>The name of an Event: a hash of everything that makes it the same Event.</summary>
public static class EventNameEncoder
{
    public static string Encode(string eventName) => Convert.ToHexStringLower(SHA512.HashData(Encoding.UTF8.GetBytes(eventName)));
}

/// <summary>Builds core/v1 Events in the object's namespace, or in <c>default</c> for a cluster-wide kind.</summary>
public partial class KubeOpsEventResourceFactory(OperatorSettings settings, ILogger<EventPublisher>? logger = null) : IEventResourceFactory
{
    private const string DefaultNamespace = "default";

    public virtual Corev1Event CreateEvent(IKubernetesObject<V1ObjectMeta> entity, string reason, string message, EventType type)
    {
        var @namespace = entity.Namespace() is { Length: > 0 } own ? own : DefaultNamespace;
        var identity = $"{entity.Uid()}.{entity.Name()}.{@namespace}.{reason}.{message}.{type}";
        if (logger is not null) LogMaking(logger, reason, @namespace, entity.Name());
        return new Corev1Event
        {
            ApiVersion = Corev1Event.KubeApiVersion,
            Kind = Corev1Event.KubeKind,
            Metadata = new V1ObjectMeta { Name = EventNameEncoder.Encode(identity), NamespaceProperty = @namespace },
            InvolvedObject = entity.MakeObjectReference(),
            Type = type.ToString(),
            Reason = reason,
            Message = message,
            Source = new V1EventSource { Component = settings.Name },
            ReportingComponent = settings.Name,
            ReportingInstance = Environment.MachineName,
        };
    }

    [LoggerMessage(9142, LogLevel.Trace, "Making Event {Reason} about {Namespace}/{Name}")]
    private static partial void LogMaking(ILogger logger, string reason, string @namespace, string name);
}

/// <summary>Publishes by one GET and one write. A repeat raises the count of the Event that is there; what fails is logged only.</summary>
internal sealed partial class EventPublisherFactory(
    IKubernetesClient client, IEventResourceFactory events, ILogger<EventPublisher> logger, TimeProvider? time = null) : IEventPublisherFactory
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    public EventPublisher Create() => PublishAsync;

    private async Task PublishAsync(
        IKubernetesObject<V1ObjectMeta> entity, string reason, string message, EventType type, CancellationToken cancellationToken)
    {
        try
        {
            await CountAsync(events.CreateEvent(entity, reason, message, type), cancellationToken);
        }
        catch (Exception failed) when (failed is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogFailed(failed, reason, entity.Namespace(), entity.Name());
        }
    }

    private async Task CountAsync(Corev1Event fresh, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow().UtcDateTime;
        if (await client.GetAsync<Corev1Event>(fresh.Name(), fresh.Namespace(), cancellationToken) is { } known)
        {
            known.Count = (known.Count ?? 1) + 1;
            known.LastTimestamp = now;
            await client.UpdateAsync(known, cancellationToken);
            return;
        }

        fresh.Count = 1;
        fresh.FirstTimestamp = fresh.LastTimestamp = now;
        await client.CreateAsync(fresh, cancellationToken);
    }

    [LoggerMessage(9141, LogLevel.Warning, "Could not publish Event {Reason} about {Namespace}/{Name}")]
    private partial void LogFailed(Exception exception, string reason, string? @namespace, string name);
}
