using k8s;
using k8s.Models;
using Ome.LocalCluster.Faults;

namespace Ome.Tests.Support.ControlPlanes;

/// <summary>What tests say about their control plane.</summary>
public static class ControlPlaneExtensions
{
    /// <summary>The fault injector; where there is none the test is skipped and says why.</summary>
    public static FaultInjector RequireFaults(this ITestControlPlane plane)
    {
        if (plane.Faults is null) Assert.Ignore($"needs fault injection, which {plane.Name} does not have");
        return plane.Faults!;
    }

    /// <summary>The request log; where there is none the test is skipped and says why.</summary>
    public static RequestLog RequireRequestLog(this ITestControlPlane plane)
    {
        if (plane.Requests is null) Assert.Ignore($"needs the request log, which {plane.Name} does not have");
        return plane.Requests!;
    }

    /// <summary>Skips the test, saying why, where nobody empties namespaces and collects garbage.</summary>
    public static void RequireControllers(this ITestControlPlane plane)
    {
        if (!plane.RunsControllers) Assert.Ignore($"needs kube-controller-manager, which is not part of {plane.Name}");
    }

    /// <summary>Skips the test, saying why, on an API older than 1.<paramref name="minor"/>.</summary>
    public static void RequireMinor(this ITestControlPlane plane, int minor, string feature)
    {
        if (plane.Minor < minor) Assert.Ignore($"{feature} came with Kubernetes 1.{minor}; this is {plane.Name}");
    }

    /// <summary>A fresh namespace with a unique name.</summary>
    public static async Task<string> CreateNamespaceAsync(this ITestControlPlane plane, CancellationToken cancellationToken)
    {
        var created = await plane.Admin.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { GenerateName = "test-" } }, cancellationToken: cancellationToken);
        return created.Name();
    }
}
