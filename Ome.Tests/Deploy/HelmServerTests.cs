using Ome.Tests.Support;

namespace Ome.Tests.Deploy;

/// <summary>The chart on an API server.</summary>
public sealed class HelmServerTests : ClusterTest
{
    private const int Limit = 180_000;

    [TestCase]
    // The kinds of the Prometheus Operator are not there; promtool and the goldens hold those objects.
    [TestCase("--values", Rendering.FullValues, "--set", "monitoring.enabled=false")]
    [CancelAfter(Limit)]
    public async Task What_the_chart_brings_passes_a_server_dry_run(params string[] arguments)
    {
        var token = TestContext.CurrentContext.CancellationToken;
        foreach (var ns in new[] { "ome", "team-a" }) await KubectlAsync(token, "create", "namespace", ns);
        // A kind that the cluster does not know yet cannot be tried.
        await Plane.InstallCrdsAsync(Path.Combine(Architecture.RepositoryTests.RepositoryRoot(), "config", "crd"), token);
        var version = $"v1.{Plane.Minor}.0";

        var result = await RunAsync("kubectl", ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-"], token, await Rendering.HelmTextAsync(token, ["--kube-version", version, .. arguments]));

        result.Succeeded().Should().Contain("daemonset.apps/ome-model-agent-daemonset serverside-applied (server dry run)");
    }

    [Test, CancelAfter(Limit)]
    public async Task Install_upgrade_and_uninstall_leave_the_crds_and_their_models(CancellationToken token)
    {
        await HelmAsync(token, "install", "ome", Rendering.Chart, "--create-namespace");
        (await WhatIsThereAsync(token)).Should().Contain(["daemonset.apps/ome-model-agent-daemonset", "deployment.apps/ome-operator", "customresourcedefinition.apiextensions.k8s.io/basemodels.ome.io"]);
        await ApplyAsync(Golden.ReadFile("config/samples/basemodel_local.yaml"), token);

        await HelmAsync(token, "upgrade", "ome", Rendering.Chart, "--set", "operator.replicas=3", "--set", "policy.enabled=false");
        (await KubectlAsync(token, "get", "deploy", "-n", "ome", "ome-operator", "-o", "jsonpath={.spec.replicas}")).Should().Be("3");
        (await WhatIsThereAsync(token)).Should().NotContain(name => name.StartsWith("validatingadmission", StringComparison.Ordinal));

        await HelmAsync(token, "uninstall", "ome");
        (await WhatIsThereAsync(token)).Should().BeEquivalentTo(
            "customresourcedefinition.apiextensions.k8s.io/basemodels.ome.io", "customresourcedefinition.apiextensions.k8s.io/clusterbasemodels.ome.io",
            "customresourcedefinition.apiextensions.k8s.io/modelintegritychecks.ome.io", "namespace/ome");
        (await KubectlAsync(token, "get", "basemodels", "-A", "-o", "name")).Should().Contain("tuned-model");

        await HelmAsync(token, "install", "ome", Rendering.Chart);
    }

    [Test, CancelAfter(Limit)]
    public async Task An_upgrade_brings_the_new_schema_of_the_crds(CancellationToken token)
    {
        await HelmAsync(token, "install", "ome", Rendering.Chart, "--create-namespace");
        const string Drop = """[{"op":"remove","path":"/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/nodeSummary"}]""";
        await KubectlAsync(token, "patch", "crd", "basemodels.ome.io", "--type=json", "-p", Drop);

        await HelmAsync(token, "upgrade", "ome", Rendering.Chart, "--force-conflicts");

        (await KubectlAsync(token, "get", "crd", "basemodels.ome.io", "-o", "yaml")).Should().Contain("nodeSummary:");
    }

    [Test, CancelAfter(Limit)]
    public async Task The_chart_takes_over_what_make_deploy_applied(CancellationToken token)
    {
        (await RunAsync("make", ["deploy"], token)).Succeeded();

        await HelmAsync(token, "install", "ome", Rendering.Chart, "--take-ownership", "--force-conflicts");
        (await RunAsync("make", ["undeploy"], token)).Refused().Should().Contain("helm uninstall ome");
    }

    private async Task HelmAsync(CancellationToken token, params string[] arguments) =>
        (await RunAsync("helm", [.. arguments, "--namespace", "ome"], token)).Succeeded();
}
