using System.Threading.Channels;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Storage;
using Ome.LocalCluster.Writing;

namespace Ome.LocalCluster.Controllers;

/// <summary>What kube-controller-manager does that clients rely on: emptying namespaces, garbage collection, default service accounts, CRD clean-up.</summary>
/// <remarks>One loop works off a queue that commits feed. A key that needs more than one round is fed again by the commits it causes.</remarks>
public sealed class ClusterControllers
{
    private readonly Channel<Action> _work = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly NamespaceController _namespaces;
    private readonly GarbageCollector _garbage;
    private readonly CrdController _crds;

    public ClusterControllers(ObjectStore store, KindRegistry kinds, ObjectWriter writer, TimeProvider clock)
    {
        _namespaces = new NamespaceController(store, kinds, writer);
        _garbage = new GarbageCollector(store, kinds, writer);
        _crds = new CrdController(store, kinds, writer, clock);
        writer.Written = (resource, key) => _crds.OnWritten(resource, key);
        store.Committed = OnCommitted;
    }

    /// <summary>Works until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (var work in _work.Reader.ReadAllAsync(cancellationToken))
        {
            try
            {
                work();
            }
            catch (ApiException)
            {
                // The object went away or changed hands meanwhile; the commit that did it has queued what is left to do.
            }
        }
    }

    // Runs under the store's lock: only notes what is to be done.
    private void OnCommitted(ObjectCollection collection, StoreEvent change)
    {
        foreach (var work in _namespaces.WorkAfter(collection, change).Concat(_garbage.WorkAfter(collection, change)).Concat(_crds.WorkAfter(collection, change)))
            _work.Writer.TryWrite(work);
    }
}
