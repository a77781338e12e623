using System.Diagnostics;
using Ome.Shared.Kube;

namespace Ome.Operator.Watching;

/// <summary>Tells the index when both informers have listed everything once, and how long that took.</summary>
public sealed partial class IndexCompletion(
    ReportIndex index, Leadership leadership, Informer<ReportMap, ArrivedReport> reports, Informer<BareNode, string> nodes, FleetMetrics metrics, TimeProvider time, ILogger<IndexCompletion> logger)
    : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        leadership.Changed += (_, _) => index.ForgetChanges();
        metrics.Started("host", SinceStart());
        await Task.WhenAll(ListedAsync("reports", reports.WaitForSyncAsync(stoppingToken)), ListedAsync("nodes", nodes.WaitForSyncAsync(stoppingToken)));
        await index.SetCompleteAsync(stoppingToken);
        var (nodeCount, reportCount) = index.Counts;
        LogComplete(reportCount, nodeCount, SinceStart().TotalSeconds);

        // Listing a big fleet leaves buffers behind that the collector would keep for a rainy day.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    private async Task ListedAsync(string what, Task listed)
    {
        await listed;
        metrics.Started(what, SinceStart());
    }

    private TimeSpan SinceStart()
    {
        using var self = Process.GetCurrentProcess();
        return time.GetUtcNow() - new DateTimeOffset(self.StartTime);
    }

    [LoggerMessage(2210, LogLevel.Information, "The reports of {Reports} nodes and {Nodes} nodes are listed, {Seconds:F1} s after the process began; statuses are kept from now on")]
    private partial void LogComplete(int reports, int nodes, double seconds);
}
