using Ome.LocalCluster;

namespace Ome.Tests.Support.ControlPlanes;

/// <summary>A real etcd and kube-apiserver; both end with the test run.</summary>
internal sealed class EnvtestControlPlane : TestControlPlane
{
    private readonly RealControlPlane _plane;

    private EnvtestControlPlane(RealControlPlane plane, string kubeconfig)
        : base($"kube-apiserver {plane.Version}", plane.Url, plane.AdminToken, plane.AuthorityPem, kubeconfig, plane.Minor) => _plane = plane;

    public override bool RunsControllers => false;

    public static async Task<EnvtestControlPlane> StartAsync(string assets, CancellationToken cancellationToken)
    {
        var plane = await RealControlPlane.StartAsync(assets, cancellationToken);
        var kubeconfig = Path.Combine(Path.GetTempPath(), $"ome-tests-{Guid.NewGuid():N}.kubeconfig");
        await Kubeconfig.WriteAsync(kubeconfig, plane.Url, plane.AuthorityPem, plane.AdminToken, cancellationToken);
        return new EnvtestControlPlane(plane, kubeconfig);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _plane.DisposeAsync();
        File.Delete(KubeconfigPath);
    }
}
