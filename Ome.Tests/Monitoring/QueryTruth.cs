namespace Ome.Tests.Monitoring;

/// <summary>Holds queries to what is exported.</summary>
internal static class QueryTruth
{
    /// <summary>Labels that a scrape adds: config/monitoring/pod_monitor.yaml, service_monitor.yaml, scrape.yaml; and the bound of a bucket.</summary>
    private static readonly string[] OfScrape = ["instance", "job", "node", "le"];

    /// <summary>Series that Prometheus makes itself.</summary>
    private static readonly string[] OfPrometheus = ["up"];

    /// <summary>Everything a query names that neither program exports.</summary>
    public static IEnumerable<string> Problems(string expression)
    {
        var metrics = PromQuery.Metrics(expression);
        var known = metrics.Where(metric => ExportedMetrics.Series.Contains(metric)).ToList();
        foreach (var metric in metrics.Except(known).Except(OfPrometheus)) yield return $"nobody exports {metric}: {expression}";
        var labels = known.SelectMany(metric => ExportedMetrics.Series[metric]).SelectMany(static names => names).Concat(OfScrape).ToHashSet();
        foreach (var label in PromQuery.Labels(expression).Except(labels)) yield return $"no metric of the query has label {label}: {expression}";
        if (metrics.Count == 0) yield return $"no metric found in: {expression}";
    }
}
