using k8s;
using k8s.Autorest;
using k8s.Models;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>A promise of the Kubernetes API that Ome relies on. Each test runs on whichever control plane the environment chose.</summary>
public abstract class ConformanceTest
{
    protected ITestControlPlane Plane { get; private set; } = null!;

    /// <summary>A namespace of this test's own.</summary>
    protected string Namespace { get; private set; } = "";

    protected ICoreV1Operations Core => Plane.Admin.CoreV1;

    [SetUp]
    public async Task TakeNamespaceAsync()
    {
        Plane = await ControlPlanes.SharedAsync(CancellationToken.None);
        Namespace = await Plane.CreateNamespaceAsync(CancellationToken.None);
    }

    /// <summary>The Status a refused request answered.</summary>
    protected static async Task<V1Status> StatusOfAsync(Func<Task> refused)
    {
        var failure = (await refused.Should().ThrowAsync<HttpOperationException>()).Which;
        var status = KubernetesJson.Deserialize<V1Status>(failure.Response.Content);
        status.Code.Should().Be((int)failure.Response.StatusCode, "the body says the same as the HTTP status");
        return status;
    }
}
