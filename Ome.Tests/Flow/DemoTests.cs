using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using Ome.Tests.Architecture;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Flow;

/// <summary>
/// The whole flow as processes over HTTP: control plane with RBAC enforced from config/rbac, operator, three agents, hub, real files. The demo ends with 0
/// only when it saw every step; this runs the very command the README names.
/// </summary>
public sealed class DemoTests
{
    [Test]
    [CancelAfter(240_000)]
    public async Task The_demo_observes_damage_withdrawal_and_readmission(CancellationToken token)
    {
        var (code, output) = await RunAsync(["demo", "--configuration", Configuration], token);

        TestContext.Out.WriteLine(output);
        code.Should().Be(0, output);
        output.Should().Contain("Everything was observed.");
        // From a real agent to the model and back, for each of three kinds of damage.
        foreach (var reason in new[] { "FileMissing", "SizeMismatch", "DigestMismatch" }) output.Should().Contain($"the model's condition says {reason} and names the file");
        string[] observed =
        [
            "the model's status moves the node to nodesFailed", "kubectl get clusterbasemodel shows one node less and names it", "an Event names it",
            "the model's status lists the node as ready", "the model's condition is well again", "kubectl get clusterbasemodel shows all nodes", "an Event tells of it",
        ];
        foreach (var step in observed) Regex.Count(output, Regex.Escape("✓ " + step)).Should().Be(3, step);
    }

    /// <summary>On a cluster that is there, through a context of a kubeconfig, as <c>DEMO_CONTEXT</c> does; it must look afterwards as before.</summary>
    [Test]
    [CancelAfter(300_000)]
    public async Task The_demo_runs_on_a_kubeconfig_context_and_leaves_nothing_behind(CancellationToken token)
    {
        Support.Kubectl.Require();
        await using var plane = await ControlPlanes.StartAsync(token);
        var before = await InventoryAsync(plane, token);

        var (code, output) = await RunAsync(["demo", "--context", "ome-local", "--agents", "2", "--configuration", Configuration], token, plane.KubeconfigPath);

        TestContext.Out.WriteLine(output);
        code.Should().Be(0, output);
        output.Should().Contain("On the cluster of context ome-local").And.Contain("Everything was observed.").And.NotContain("clean-up:");
        // Namespaces of a bare API server stay Terminating: nobody empties them there.
        var after = await InventoryAsync(plane, token);
        after.Except(before).Should().BeEquivalentTo(plane.RunsControllers ? [] : new[] { "namespaces/ome" });
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task A_cluster_that_has_Ome_already_is_left_alone(CancellationToken token)
    {
        Support.Kubectl.Require();
        await using var plane = await ControlPlanes.StartAsync(token);
        await plane.Admin.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = "ome" } }, cancellationToken: token);
        var before = await InventoryAsync(plane, token);

        var (code, output) = await RunAsync(["demo", "--context", "current", "--configuration", Configuration], token, plane.KubeconfigPath);

        code.Should().Be(1);
        output.Should().Contain("has a namespace ome already");
        (await InventoryAsync(plane, token)).Should().BeEquivalentTo(before);
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task An_unknown_context_is_named(CancellationToken token)
    {
        Support.Kubectl.Require();

        var (code, output) = await RunAsync(["demo", "--context", "nowhere", "--configuration", Configuration], token);

        code.Should().Be(1);
        output.Should().Contain("demo: ").And.Contain("nowhere");
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task A_port_in_use_is_named(CancellationToken token)
    {
        if (ControlPlanes.Assets is not null) Assert.Ignore("--port is the in-process control plane's; KUBEBUILDER_ASSETS chose another");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        var (code, output) = await RunAsync(["demo", "--port", port.ToString(), "--configuration", Configuration], token);

        code.Should().Be(1);
        output.Should().Contain($"demo: Cannot listen on 127.0.0.1:{port}");
    }

    [TestCase("--agents 1", "--agents: got 1, need 2 to 9.")]
    [TestCase("--port 70000", "--port: got 70000, need 0 to 65535.")]
    [TestCase("--model /nowhere", "--model: '/nowhere' is no directory with a .safetensors file.")]
    [CancelAfter(120_000)]
    public async Task A_wrong_option_is_named_with_what_is_allowed(string arguments, string message, CancellationToken token)
    {
        var (code, output) = await RunAsync(["demo", .. arguments.Split(' ')], token);

        code.Should().Be(2);
        output.Should().Contain(message);
    }

    private static string Configuration => AppContext.BaseDirectory.Contains("/Debug/", StringComparison.Ordinal) ? "Debug" : "Release";

    // Everything the demo could leave, by collection and name.
    private static async Task<IReadOnlyList<string>> InventoryAsync(ITestControlPlane plane, CancellationToken cancellationToken)
    {
        using var api = new RawApi(plane.Configuration);
        var found = new List<string>();
        foreach (var collection in new[]
        {
            "/api/v1/nodes", "/api/v1/namespaces", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        })
        {
            var items = (await api.GetAsync(collection, cancellationToken)).Expect(200).Json["items"]!.AsArray();
            found.AddRange(items.Select(item => $"{collection[(collection.LastIndexOf('/') + 1)..]}/{(string)item!["metadata"]!["name"]!}"));
        }

        return found;
    }

    private static async Task<(int Code, string Output)> RunAsync(string[] arguments, CancellationToken cancellationToken, string? kubeconfig = null)
    {
        var root = RepositoryTests.RepositoryRoot();
        var assembly = Path.Combine(root, "Ome.LocalCluster/bin", Configuration, "net10.0/ome-local-cluster.dll");
        var start = new ProcessStartInfo("dotnet", [assembly, .. arguments])
        {
            WorkingDirectory = root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        if (kubeconfig is not null) start.Environment["KUBECONFIG"] = kubeconfig;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return (process.ExitCode, await output + await error);
    }
}
