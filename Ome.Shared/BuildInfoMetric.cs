using Prometheus;

namespace Ome.Shared;

/// <summary>Says in the metrics of a program what runs.</summary>
public static class BuildInfoMetric
{
    /// <summary>Adds <c>ome_build_info</c>, always 1.</summary>
    public static void AddBuildInfo(this IMetricFactory metrics, BuildInfo build) => metrics
        .CreateGauge("ome_build_info", "1, with version and source of the KubeOps API.", ["version", "kubeops"])
        .WithLabels(build.Version, build.KubeOpsSource).Set(1);
}
