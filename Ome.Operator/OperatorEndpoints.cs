using Ome.Operator.Watching;
using Ome.Shared.Kube;
using Prometheus;

namespace Ome.Operator;

/// <summary>What kubelet and Prometheus ask.</summary>
public static class OperatorEndpoints
{
    /// <summary>A watch that heard nothing for so long is dead, and so are we: the informers' own watchdog is far quicker.</summary>
    public static readonly TimeSpan SilenceLimit = TimeSpan.FromMinutes(15);

    /// <summary>Adds <c>/healthz</c>, <c>/readyz</c> and <c>/metrics</c>.</summary>
    public static void MapOperator(this WebApplication app)
    {
        app.MapGet("/healthz", static (Informer<ReportMap, ArrivedReport> reports, Informer<BareNode, string> nodes) =>
            reports.LastEventAge < SilenceLimit && nodes.LastEventAge < SilenceLimit
                ? Results.Text("ok")
                : Results.Text($"the API server was last heard {Math.Max(reports.LastEventAge.TotalSeconds, nodes.LastEventAge.TotalSeconds):F0} s ago", statusCode: 500));
        app.MapGet("/readyz", static (ReportIndex index) =>
            index.IsComplete ? Results.Text("ok") : Results.Text("node reports and nodes are not listed yet", statusCode: 503));
        app.MapMetrics("/metrics", app.Services.GetRequiredService<CollectorRegistry>());
    }
}
