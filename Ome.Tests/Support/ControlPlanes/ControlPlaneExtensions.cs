using System.Net;
using k8s;
using k8s.Autorest;
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

    /// <summary>Waits until a kind is served. Established is not enough on a real server: its handler learns of a CRD a little later, and says 404 or 429 until then.</summary>
    public static async Task UntilServedAsync(this ITestControlPlane plane, string group, string version, string plural, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await plane.Admin.CustomObjects.ListClusterCustomObjectAsync(group, version, plural, cancellationToken: cancellationToken);
                return;
            }
            catch (HttpOperationException e) when (e.Response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
            }
        }
    }

    /// <summary>A fresh namespace with a unique name.</summary>
    public static async Task<string> CreateNamespaceAsync(this ITestControlPlane plane, CancellationToken cancellationToken)
    {
        var created = await plane.Admin.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { GenerateName = "test-" } }, cancellationToken: cancellationToken);
        return created.Name();
    }
}
