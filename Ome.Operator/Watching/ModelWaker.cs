using System.Collections.Concurrent;
using k8s.Models;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.Abstractions.Reconciliation.Queue;
using Ome.Shared.Api;
using Ome.Shared.Domain.Models;

namespace Ome.Operator.Watching;

/// <summary>
/// Brings a model to its controller, through KubeOps' queue: at once, or as soon as the last status write is old enough. A model nobody has
/// reconciled yet needs no waking: its own watch brings it.
/// </summary>
public sealed class ModelWaker(EntityQueue<BaseModel> namespaced, EntityQueue<ClusterBaseModel> cluster, OperatorOptions options, TimeProvider time)
{
    private readonly ConcurrentDictionary<ModelKey, Known> _known = [];

    /// <summary>A model is there, in this life. What was written of another life of the name limits nothing.</summary>
    public void Know(ModelKey model, string uid) => _known.AddOrUpdate(model, new Known(uid, null), (_, known) => known.Uid == uid ? known : new Known(uid, null));

    /// <summary>This life of a model is over; false when it was not the one known, which then stays.</summary>
    public bool Forget(ModelKey model, string uid)
    {
        while (_known.TryGetValue(model, out var known) && known.Uid == uid)
        {
            if (_known.TryRemove(new(model, known))) return true;
        }

        return false;
    }

    /// <summary>UID of a model that is there.</summary>
    public bool IsKnown(ModelKey model, out string uid)
    {
        var found = _known.TryGetValue(model, out var known);
        uid = known?.Uid ?? string.Empty;
        return found;
    }

    /// <summary>The status of a model was written just now. One that was forgotten meanwhile stays so.</summary>
    public void Written(ModelKey model)
    {
        while (_known.TryGetValue(model, out var known) && !_known.TryUpdate(model, known with { WrittenAt = time.GetTimestamp() }, known))
        {
            // Somebody else changed it; once more on what it is now.
        }
    }

    /// <summary>How long to wait before the status of a model may be written again.</summary>
    public TimeSpan UntilWritable(ModelKey model)
    {
        if (!_known.TryGetValue(model, out var known) || known.WrittenAt is not { } at) return TimeSpan.Zero;
        var left = options.StatusInterval - time.GetElapsedTime(at);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>Wakes models. Where this process does not lead, the queue drops them; the leader has its own index.</summary>
    public async ValueTask WakeAsync(IReadOnlyList<ModelKey> models, CancellationToken cancellationToken)
    {
        foreach (var model in models)
        {
            if (!IsKnown(model, out var uid)) continue;
            var meta = new V1ObjectMeta { Name = model.Name, Uid = uid };
            var delay = UntilWritable(model);
            if (model.Kind == ModelKind.ClusterBaseModel)
            {
                await cluster(new ClusterBaseModel { Metadata = meta }, ReconciliationType.Modified, ReconciliationTriggerSource.Operator, delay, 0, cancellationToken);
            }
            else
            {
                meta.NamespaceProperty = model.Namespace;
                await namespaced(new BaseModel { Metadata = meta }, ReconciliationType.Modified, ReconciliationTriggerSource.Operator, delay, 0, cancellationToken);
            }
        }
    }

    /// <summary>Wakes every model that is there.</summary>
    public ValueTask WakeAllAsync(CancellationToken cancellationToken) => WakeAsync([.. _known.Keys], cancellationToken);

    private sealed record Known(string Uid, long? WrittenAt);
}
