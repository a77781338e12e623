namespace Ome.Tests.LocalCluster.Kubectl;

/// <summary>Ome's own manifests.</summary>
public sealed class ManifestCommandTests : KubectlTest
{
    [TestCase("crd")]
    [TestCase("rbac")]
    [TestCase("policy")]
    [TestCase("default")]
    [CancelAfter(120_000)]
    public async Task A_directory_of_manifests_passes_a_server_dry_run(string directory, CancellationToken ct)
    {
        var path = Path.Combine(ConfigDirectory, directory);
        if (!File.Exists(Path.Combine(path, "kustomization.yaml"))) Assert.Ignore($"config/{directory} has no kustomization.yaml");
        await EnsureNamespaceAsync(path, ct);

        var result = await Kubectl.RunAsync(ct, "apply", "--server-side", "--force-conflicts", "-k", path, "--dry-run=server");

        result.Succeeded().Should().Contain("(server dry run)");
    }

    // A dry run creates no namespace for what follows in the same directory.
    private async Task EnsureNamespaceAsync(string path, CancellationToken ct)
    {
        var rendered = (await Kubectl.RunAsync(ct, "kustomize", path)).Succeeded();
        var namespaces = rendered.Split('\n').Where(line => line.StartsWith("  namespace: ", StringComparison.Ordinal)).Select(line => line["  namespace: ".Length..].Trim());
        foreach (var ns in namespaces.Distinct(StringComparer.Ordinal)) await Kubectl.RunAsync(ct, "create", "namespace", ns);
    }
}
