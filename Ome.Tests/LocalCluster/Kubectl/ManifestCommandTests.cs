using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Kubectl;

/// <summary>Ome's own manifests.</summary>
[TestFixtureSource(typeof(KubectlTest), nameof(Found))]
public sealed class ManifestCommandTests(string found) : KubectlTest(found)
{
    [TestCase("crd")]
    [TestCase("rbac")]
    [TestCase("policy")]
    [TestCase("default")]
    [TestCase("overlays/gpu-nodes")]
    [TestCase("overlays/minimal")]
    [CancelAfter(120_000)]
    public async Task A_directory_of_manifests_passes_a_server_dry_run(string directory, CancellationToken ct)
    {
        var path = Path.Combine(ConfigDirectory, directory);
        if (directory == "policy") Plane.RequireMinor(30, "ValidatingAdmissionPolicy v1");
        await EnsureNamespaceAsync(path, ct);

        var result = await Kubectl.RunAsync(ct, "apply", "--server-side", "--force-conflicts", "-k", path, "--dry-run=server");

        result.Succeeded().Should().Contain("(server dry run)");
    }

    [Test, CancelAfter(120_000)]
    public async Task The_whole_installation_passes_a_client_side_apply_checked_by_the_server(CancellationToken ct)
    {
        var path = Path.Combine(ConfigDirectory, "default");
        await EnsureNamespaceAsync(path, ct);

        var result = await Kubectl.RunAsync(ct, "apply", "-k", path, "--dry-run=server");

        result.Succeeded().Should().Contain("daemonset.apps/").And.Contain("deployment.apps/").And.Contain("(server dry run)");
    }

    [Test, CancelAfter(120_000)]
    public async Task Each_CRD_applies_from_its_file(CancellationToken ct)
    {
        foreach (var file in Directory.GetFiles(Path.Combine(ConfigDirectory, "crd"), "ome.io_*.yaml"))
            (await Kubectl.RunAsync(ct, "apply", "-f", file)).Succeeded().Should().Contain("customresourcedefinition.apiextensions.k8s.io/");
    }

    // A dry run creates no namespace for what follows in the same directory.
    private async Task EnsureNamespaceAsync(string path, CancellationToken ct)
    {
        var rendered = (await Kubectl.RunAsync(ct, "kustomize", path)).Succeeded();
        var namespaces = rendered.Split('\n').Where(line => line.StartsWith("  namespace: ", StringComparison.Ordinal)).Select(line => line["  namespace: ".Length..].Trim());
        foreach (var ns in namespaces.Distinct(StringComparer.Ordinal)) await Kubectl.RunAsync(ct, "create", "namespace", ns);
    }
}
