using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeOps.Abstractions.Events;
using Ome.Shared.Api;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Publishing;

/// <summary>Events on the model object, where people look. Never fails: a message that cannot be written is logged.</summary>
public sealed partial class ModelEventSink(EventPublisher publish, IEventResourceFactory events, IKubernetes client, TimeProvider time, ILogger<ModelEventSink> logger)
{
    /// <summary>A repeat is counted by KubeOps' publisher; what is shared by all nodes is written by the first of them.</summary>
    public Task WriteAsync(Publication publication, PublishedEvent happened, CancellationToken cancellationToken)
    {
        var (model, type) = (Reference(publication), happened.IsWarning ? EventType.Warning : EventType.Normal);
        return happened.IsShared
            ? CreateAsync(events.CreateEvent(model, happened.Reason, happened.Message, type), cancellationToken)
            : publish(model, happened.Reason, happened.Message, type, cancellationToken);
    }

    // The name is made of what is said of whom: on every node the same.
    private async Task CreateAsync(Corev1Event told, CancellationToken cancellationToken)
    {
        told.Count = 1;
        told.FirstTimestamp = told.LastTimestamp = time.GetUtcNow().UtcDateTime;
        try
        {
            await client.CoreV1.CreateNamespacedEventAsync(told, told.Namespace(), cancellationToken: cancellationToken);
        }
        catch (HttpOperationException known) when (known.Response.StatusCode == HttpStatusCode.Conflict)
        {
            // Another node was faster.
        }
        catch (Exception failed) when (failed is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogFailed(failed, told.Reason, told.InvolvedObject.Name);
        }
    }

    private static ModelEntity Reference(Publication publication)
    {
        ModelEntity model = publication.Key.Kind == ModelKind.ClusterBaseModel ? new ClusterBaseModel() : new BaseModel();
        model.Metadata = new V1ObjectMeta
        {
            Name = publication.Key.Name,
            NamespaceProperty = publication.Key.Kind == ModelKind.ClusterBaseModel ? null : publication.Key.Namespace,
            Uid = publication.Uid,
        };
        return model;
    }

    [LoggerMessage(EventId = 2106, Level = LogLevel.Warning, Message = "Could not write Event {Reason} about {Model}")]
    private partial void LogFailed(Exception failed, string reason, string model);
}
