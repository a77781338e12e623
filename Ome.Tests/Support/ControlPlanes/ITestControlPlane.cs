using k8s;
using Ome.LocalCluster.Faults;

namespace Ome.Tests.Support.ControlPlanes;

/// <summary>A Kubernetes API that tests run on: in-process, or a real kube-apiserver. RBAC is enforced on both.</summary>
/// <remarks>Get one from <see cref="ControlPlanes"/>; which kind it is, the environment alone decides.</remarks>
public interface ITestControlPlane : IAsyncDisposable
{
    /// <summary>e.g. <c>in-process</c> or <c>kube-apiserver v1.26.15</c>; for messages.</summary>
    string Name { get; }

    /// <summary>Base address, HTTPS.</summary>
    Uri Url { get; }

    /// <summary>A new configuration with the administrator's token; the caller may change it.</summary>
    KubernetesClientConfiguration Configuration { get; }

    /// <summary>The administrator's client; shared, do not dispose.</summary>
    IKubernetes Admin { get; }

    /// <summary>A kubeconfig of the administrator, for kubectl and child processes.</summary>
    string KubeconfigPath { get; }

    /// <summary>What the control plane can do beyond the API itself; null on a real one.</summary>
    /// <remarks>A test that needs it starts with <c>plane.RequireFaults()</c>, which skips with a printed reason where it is missing.</remarks>
    FaultInjector? Faults { get; }

    /// <summary>What was asked of the control plane; null on a real one.</summary>
    RequestLog? Requests { get; }

    /// <summary>Minor version of the API, e.g. 26.</summary>
    int Minor { get; }

    /// <summary>True when namespaces are emptied and owned objects collected: the work of kube-controller-manager, which envtest lacks.</summary>
    bool RunsControllers { get; }

    /// <summary>Creates the service account (unless it is there) and gives a client configuration with a token of it, and no other rights than its bindings give.</summary>
    Task<KubernetesClientConfiguration> CreateServiceAccountConfigurationAsync(string ns, string name, CancellationToken cancellationToken);

    /// <summary>As <see cref="CreateServiceAccountConfigurationAsync"/>, as a client; the caller disposes it.</summary>
    Task<IKubernetes> CreateServiceAccountClientAsync(string ns, string name, CancellationToken cancellationToken);

    /// <summary>Creates or updates every CRD in the YAML files of a directory and waits until each is served.</summary>
    Task InstallCrdsAsync(string directory, CancellationToken cancellationToken);
}
