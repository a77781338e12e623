using System.Collections;
using System.Reflection;
using k8s;
using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Hosting;
using Ome.Operator;
using Ome.Tests.Support;
using Prometheus;

namespace Ome.Tests.Monitoring;

/// <summary>One instrument of a program.</summary>
/// <param name="Name">As it is exported; a histogram adds <c>_bucket</c>, <c>_sum</c> and <c>_count</c>.</param>
/// <param name="Labels">Its label names.</param>
/// <param name="Help">Its help text.</param>
/// <param name="Kind">Counter, Gauge, Histogram or Summary.</param>
internal sealed record ExportedMetric(string Name, IReadOnlyList<string> Labels, string Help, string Kind)
{
    /// <summary>Names that queries may use.</summary>
    public IEnumerable<string> Series => Kind is "Histogram" ? [Name + "_bucket", Name + "_sum", Name + "_count"] : [Name];
}

/// <summary>What agent and operator really export: their hosts are built as in production, not started, and their registries are read.</summary>
internal static class ExportedMetrics
{
    private static readonly Lazy<IReadOnlyList<ExportedMetric>> OfAgent = new(ReadAgent);
    private static readonly Lazy<IReadOnlyList<ExportedMetric>> OfOperator = new(ReadOperator);

    public static IReadOnlyList<ExportedMetric> Agent => OfAgent.Value;

    public static IReadOnlyList<ExportedMetric> Operator => OfOperator.Value;

    /// <summary>Series name to label names, of both programs.</summary>
    public static ILookup<string, IReadOnlyList<string>> Series { get; } =
        Agent.Concat(Operator).SelectMany(static metric => metric.Series.Select(series => (series, metric.Labels))).ToLookup(static pair => pair.series, static pair => pair.Labels);

    private static IReadOnlyList<ExportedMetric> ReadAgent()
    {
        using var root = new TempDirectory();
        IServiceCollection? services = null;
        var app = AgentHost.Build(new AgentOptions { NodeName = "node", ModelsRoot = root.Path, Port = 0, LogLevel = "error" }, found => services = Unconnected(found));
        return Read(services!, app.Services);
    }

    private static IReadOnlyList<ExportedMetric> ReadOperator()
    {
        IServiceCollection? services = null;
        var app = Program.Build(new OperatorOptions { Port = 0, LogLevel = "error" }, found => services = Unconnected(found));
        return Read(services!, app.Services);
    }

    private static IServiceCollection Unconnected(IServiceCollection services) =>
        services.AddSingleton(new KubernetesClientConfiguration { Host = "http://127.0.0.1:1", Namespace = "ome" });

    /// <summary>Every service that takes instruments is made, so that they are in the registry.</summary>
    private static List<ExportedMetric> Read(IServiceCollection services, IServiceProvider provider)
    {
        foreach (var type in services.Select(static service => service.ServiceType).Where(TakesInstruments).ToList()) provider.GetService(type);
        return [.. Collectors(provider.GetRequiredService<CollectorRegistry>())
            .Select(static collector => new ExportedMetric(collector.Name, [.. collector.LabelNames], collector.Help, collector.GetType().Name))
            .OrderBy(static metric => metric.Name, StringComparer.Ordinal)];
    }

    private static bool TakesInstruments(Type type) => type.IsClass && !type.ContainsGenericParameters && type.GetConstructors()
        .Any(static constructor => constructor.GetParameters().Any(static parameter => parameter.ParameterType == typeof(IMetricFactory) || parameter.ParameterType == typeof(CollectorRegistry)));

    /// <summary>An instrument without series is in no scrape and in no public list; the registry's own table has it.</summary>
    private static IEnumerable<Collector> Collectors(CollectorRegistry registry)
    {
        var families = (IDictionary)typeof(CollectorRegistry).GetField("_families", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(registry)!;
        foreach (var family in families.Values)
        {
            var collectors = (IDictionary)family.GetType().GetField("_collectors", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(family)!;
            foreach (Collector collector in collectors.Values) yield return collector;
        }
    }
}
