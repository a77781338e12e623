using Ome.Tests.Architecture;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Deploy;

/// <summary>helm, kubectl and make against a control plane of the test's own.</summary>
public abstract class ClusterTest
{
    private Support.Kubectl? _kubectl;

    protected ITestControlPlane Plane { get; private set; } = null!;

    [SetUp]
    public async Task StartAsync()
    {
        Support.Kubectl.Require();
        Plane = await ControlPlanes.StartAsync(CancellationToken.None);
        _kubectl = new Support.Kubectl(Plane.KubeconfigPath);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _kubectl?.Dispose();
        if (Plane is not null) await Plane.DisposeAsync();
    }

    /// <summary>A program with the control plane as its cluster; kubectl is the one the tests use.</summary>
    protected Task<ToolResult> RunAsync(string name, string[] arguments, CancellationToken cancellationToken, string input = "")
    {
        var tools = Path.Combine(RepositoryTests.RepositoryRoot(), "artifacts", "tools");
#pragma warning disable RS0030 // make's recipes find kubectl by it
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
#pragma warning restore RS0030
        var environment = new Dictionary<string, string> { ["KUBECONFIG"] = Plane.KubeconfigPath, ["PATH"] = $"{tools}{Path.PathSeparator}{path}" };
        return Tool.RunAsync(name, arguments, environment, input, cancellationToken);
    }

    protected async Task<string> KubectlAsync(CancellationToken cancellationToken, params string[] arguments) =>
        (await _kubectl!.RunAsync(cancellationToken, arguments)).Succeeded();

    protected async Task ApplyAsync(string yaml, CancellationToken cancellationToken) =>
        (await _kubectl!.RunWithInputAsync(yaml, cancellationToken, "apply", "-f", "-")).Succeeded();

    /// <summary>Names of everything there is of Ome or of its names, in all namespaces, sorted.</summary>
    protected async Task<IReadOnlyList<string>> WhatIsThereAsync(CancellationToken cancellationToken)
    {
        const string Kinds = "crd,ns,deploy,ds,svc,pdb,sa,cm,lease,role,rolebinding,clusterrole,clusterrolebinding,priorityclass,validatingadmissionpolicy,validatingadmissionpolicybinding";
        var kinds = Plane.Minor >= 30 ? Kinds : string.Join(',', Kinds.Split(',').Where(kind => !kind.StartsWith("validating", StringComparison.Ordinal)));
        var text = await KubectlAsync(cancellationToken, "get", kinds, "-A", "-o", "name");
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(name => name.Contains("ome", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }
}
