using k8s.Models;
using Ome.Shared.Kube;

namespace Ome.Operator.Watching;

/// <summary>Tells the index when each informer has listed everything once.</summary>
public sealed class IndexCompletion(ReportIndex index, Informer<V1ConfigMap, ArrivedReport> reports, Informer<V1Node, string> nodes) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await reports.WaitForSyncAsync(stoppingToken);
        index.SetComplete(reports: true);
        await nodes.WaitForSyncAsync(stoppingToken);
        index.SetComplete(nodes: true);

        // Listing a big fleet leaves hundreds of MB of parsed ConfigMaps behind that the collector would keep for a rainy day.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
