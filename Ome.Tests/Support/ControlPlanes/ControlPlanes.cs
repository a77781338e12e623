using Ome.LocalCluster;

namespace Ome.Tests.Support.ControlPlanes;

/// <summary>Gives tests their control plane. The only place that looks at <c>KUBEBUILDER_ASSETS</c>.</summary>
public static class ControlPlanes
{
    private static readonly SemaphoreSlim Gate = new(1, 1);
    private static ITestControlPlane? _shared;

    /// <summary>Directory with <c>etcd</c> and <c>kube-apiserver</c>; null runs everything in-process.</summary>
#pragma warning disable RS0030 // the one place where the environment chooses the control plane
    public static string? Assets { get; } = Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS") is { Length: > 0 } directory ? directory : null;
#pragma warning restore RS0030

    /// <summary>The one control plane of this test run. Use an own namespace and own names in it; leave no faults behind.</summary>
    public static async Task<ITestControlPlane> SharedAsync(CancellationToken cancellationToken)
    {
        await Gate.WaitAsync(cancellationToken);
        try
        {
            return _shared ??= await StartAsync(cancellationToken);
        }
        finally
        {
            Gate.Release();
        }
    }

    /// <summary>A control plane of one's own: milliseconds in-process, where it may be given options, seconds for a real one.</summary>
    public static async Task<ITestControlPlane> StartAsync(CancellationToken cancellationToken, LocalClusterOptions? inProcess = null) => Assets is { } assets
        ? await EnvtestControlPlane.StartAsync(assets, cancellationToken)
        : await InProcessControlPlane.StartAsync(cancellationToken, inProcess);

    internal static async Task StopSharedAsync()
    {
        if (_shared is { } shared) await shared.DisposeAsync();
        _shared = null;
    }
}
