using Ome.LocalCluster;
using Ome.LocalCluster.Faults;

namespace Ome.Tests.Support.ControlPlanes;

/// <summary>The local control plane in this process.</summary>
internal sealed class InProcessControlPlane : TestControlPlane
{
    private readonly Ome.LocalCluster.LocalCluster _cluster;

    private InProcessControlPlane(Ome.LocalCluster.LocalCluster cluster, string kubeconfig)
        : base("the in-process control plane", cluster.Url, cluster.AdminToken, cluster.AuthorityPem, kubeconfig, minor: 33) => _cluster = cluster;

    public override FaultInjector Faults => _cluster.Faults;

    public override RequestLog Requests => _cluster.Requests;

    public override bool RunsControllers => true;

    public static async Task<InProcessControlPlane> StartAsync(CancellationToken cancellationToken, LocalClusterOptions? options = null)
    {
        var cluster = await Ome.LocalCluster.LocalCluster.StartAsync(options ?? new LocalClusterOptions { EnforceRbac = true }, cancellationToken);
        var kubeconfig = Path.Combine(Path.GetTempPath(), $"ome-tests-{Guid.NewGuid():N}.kubeconfig");
        await cluster.WriteKubeconfigAsync(kubeconfig, cancellationToken);
        return new InProcessControlPlane(cluster, kubeconfig);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _cluster.DisposeAsync();
        File.Delete(KubeconfigPath);
    }
}
