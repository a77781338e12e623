using k8s.Models;
using Ome.Shared.Kube;

namespace Ome.Operator.Watching;

/// <summary>Tells the index when both informers have listed everything once.</summary>
public sealed class IndexCompletion(
    ReportIndex index, Leadership leadership, Informer<V1ConfigMap, ArrivedReport> reports, Informer<V1Node, string> nodes) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        leadership.Changed += (_, _) => index.ForgetChanges();
        await reports.WaitForSyncAsync(stoppingToken);
        await nodes.WaitForSyncAsync(stoppingToken);
        await index.SetCompleteAsync(stoppingToken);

        // Listing a big fleet leaves hundreds of MB of parsed ConfigMaps behind that the collector would keep for a rainy day.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
