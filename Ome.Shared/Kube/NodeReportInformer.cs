using k8s;
using Microsoft.Extensions.Logging;
using Ome.Shared.Domain;

namespace Ome.Shared.Kube;

/// <summary>The informer of the node ConfigMaps: one namespace, only those marked as node reports (contract 2.1).</summary>
public static class NodeReportInformer
{
    // A report of 50 models is about 75 KB, so a page of 50 stays below 4 MB.
    private const int ReportsPerPage = 50;

    /// <summary>Watches the reports in <paramref name="ns"/>; <paramref name="project"/> should keep no <see cref="ReportMap"/>: its data is a pooled buffer.</summary>
    public static Informer<ReportMap, TItem> Create<TItem>(
        IKubernetes client, string ns, Func<ReportMap, TItem> project, InformerHandler<TItem> handler, TimeProvider time, ILoggerFactory loggers, int jitterSeed = 0) =>
        new(client, Options(ns, jitterSeed), project, handler, time, loggers.CreateLogger<Informer<ReportMap, TItem>>());

    /// <summary>The options <see cref="Create{TItem}"/> uses.</summary>
    public static InformerOptions Options(string ns, int jitterSeed = 0) => new()
    {
        Namespace = ns,
        LabelSelector = OmeNames.ReportSelector,
        PageSize = ReportsPerPage,
        JitterSeed = jitterSeed,
    };
}
