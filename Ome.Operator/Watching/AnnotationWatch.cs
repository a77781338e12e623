using Ome.Shared.Domain.Models;
using Ome.Shared.Kube;

namespace Ome.Operator.Watching;

/// <summary>Wakes a model whose annotations changed: KubeOps goes by generations, and an annotation raises none.</summary>
public sealed class AnnotationWatch(ModelWaker waker)
{
    /// <summary>Handler of the informers of both kinds.</summary>
    public ValueTask OnModelAsync(InformerEvent<ModelMarks> change, CancellationToken cancellationToken)
    {
        if (change.Type != InformerEventType.Updated || change.Item == change.Previous) return ValueTask.CompletedTask;
        var (ns, name) = change.Object.Name;
        return waker.WakeAsync([ns.Length == 0 ? ModelKey.Cluster(name) : ModelKey.Namespaced(ns, name)], cancellationToken);
    }
}
