using k8s.Models;
using KubeOps.Abstractions.Events;
using Ome.Shared.Api;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Publishing;

/// <summary>Events on the model object, where people look; KubeOps' publisher counts repeats and never fails.</summary>
public sealed class ModelEventSink(EventPublisher publish)
{
    public Task WriteAsync(Publication publication, PublishedEvent happened, CancellationToken cancellationToken) =>
        publish(Reference(publication), happened.Reason, happened.Message, happened.IsWarning ? EventType.Warning : EventType.Normal, cancellationToken);

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
}
