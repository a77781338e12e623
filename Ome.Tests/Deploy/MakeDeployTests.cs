using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Deploy;

/// <summary><c>make deploy</c> and <c>make undeploy</c> as people run them, and what is left in the cluster.</summary>
public sealed class MakeDeployTests : ClusterTest
{
    private const int Limit = 240_000;

    private static readonly string[] Crds =
    [
        "customresourcedefinition.apiextensions.k8s.io/basemodels.ome.io", "customresourcedefinition.apiextensions.k8s.io/clusterbasemodels.ome.io",
        "customresourcedefinition.apiextensions.k8s.io/modelintegritychecks.ome.io",
    ];

    [Test, CancelAfter(Limit)]
    public async Task Deploy_twice_and_undeploy_leaves_nothing_but_the_crds(CancellationToken token)
    {
        Plane.RequireControllers();
        await MakeAsync(token, "deploy", "IMG_REGISTRY=registry.example/ome", "TAG=1.2.3");
        (await KubectlAsync(token, "get", "ds,deploy", "-n", "ome", "-o", "jsonpath={..image}")).Should().Be("registry.example/ome/ome-agent:1.2.3 registry.example/ome/ome-operator:1.2.3");
        (await WhatIsThereAsync(token)).Should().Contain(["validatingadmissionpolicy.admissionregistration.k8s.io/ome-agent-own-node", "priorityclass.scheduling.k8s.io/ome"]);
        await MakeAsync(token, "deploy", "IMG_REGISTRY=registry.example/ome", "TAG=1.2.3");
        await ApplyAsync("{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: ome-operator-leader, namespace: ome}}", token);
        await ApplyAsync(Golden.ReadFile("config/rbac/agent-secrets/role.yaml").Replace("  namespace: ome\n", "  namespace: default\n", StringComparison.Ordinal), token);
        await ApplyAsync("""
            apiVersion: ome.io/v1beta1
            kind: ModelIntegrityCheck
            metadata: {name: n1.m}
            spec: {nodeName: n1, modelRef: {kind: ClusterBaseModel, name: m}}
            """, token);

        await MakeAsync(token, "undeploy");

        (await WhatIsThereAsync(token)).Should().Equal(Crds);
        (await KubectlAsync(token, "get", "mic")).Should().BeEmpty();
        await MakeAsync(token, "undeploy");
    }

    [Test, CancelAfter(Limit)]
    public async Task Undeploy_keeps_models_labels_reports_and_what_is_not_ours(CancellationToken token)
    {
        await MakeAsync(token, "deploy");
        await ModelWithNodeAsync(token);
        await KubectlAsync(token, "create", "secret", "generic", "hf-token", "-n", "ome", "--from-literal=token=x");

        var said = await MakeAsync(token, "undeploy");

        said.Should().Contain("Kept: 1 model(s)").And.Contain("secret/hf-token").And.Contain("configmap/n1");
        (await WhatIsThereAsync(token)).Should().Equal([.. Crds, "namespace/ome"]);
        (await KubectlAsync(token, "get", "basemodels", "-n", "default", "-o", "name")).Should().Contain("tuned-model");
        (await KubectlAsync(token, "get", "node", "n1", "--show-labels")).Should().Contain("models.ome.io/default.basemodel.tuned-model=Ready");
        (await KubectlAsync(token, "get", "configmap", "n1", "-n", "ome", "-o", "name")).Should().Contain("n1");
    }

    [Test, CancelAfter(Limit)]
    public async Task Forced_undeploy_leaves_nothing_even_where_no_operator_lets_models_go(CancellationToken token)
    {
        Plane.RequireControllers();
        await MakeAsync(token, "deploy");
        await ModelWithNodeAsync(token);

        var said = await MakeAsync(token, "undeploy", "FORCE=1", "FORCE_WAIT=1s");

        said.Should().Contain("did not go in time");
        (await WhatIsThereAsync(token)).Should().BeEmpty();
        (await KubectlAsync(token, "get", "node", "n1", "--show-labels")).Should().Contain("kept=yes").And.NotContain("models.ome.io");
    }

    [TestCase("OVERLAY=overlays/none", "there is no config/overlays/none")]
    [TestCase("POLICY=maybe", "it must be auto, yes or no")]
    [CancelAfter(Limit)]
    public async Task A_wrong_setting_is_named_before_anything_is_applied(string setting, string said, CancellationToken token)
    {
        (await RunAsync("make", ["deploy", setting], token)).Refused().Should().Contain(said);
        (await WhatIsThereAsync(token)).Should().BeEmpty();
    }

    [Test, CancelAfter(Limit)]
    public async Task The_least_that_works_is_deployed_without_policies(CancellationToken token)
    {
        await MakeAsync(token, "deploy", "OVERLAY=overlays/minimal");

        (await WhatIsThereAsync(token)).Should().NotContain(name => name.StartsWith("validating", StringComparison.Ordinal) || name.StartsWith("priorityclass", StringComparison.Ordinal));
        (await KubectlAsync(token, "get", "deploy", "-n", "ome", "ome-operator", "-o", "jsonpath={.spec.replicas}")).Should().Be("1");
    }

    private async Task ModelWithNodeAsync(CancellationToken token)
    {
        await ApplyAsync(Golden.ReadFile("config/samples/basemodel_local.yaml"), token);
        await KubectlAsync(token, "patch", "basemodel", "tuned-model", "-n", "default", "--type=merge", "-p", """{"metadata":{"finalizers":["basemodels.ome.io/finalizer"]}}""");
        await ApplyAsync("""
            apiVersion: v1
            kind: Node
            metadata: {name: n1, labels: {models.ome.io/default.basemodel.tuned-model: Ready, kept: "yes"}}
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: n1, namespace: ome, labels: {models.ome/basemodel-status: "true"}}
            """, token);
    }

    private async Task<string> MakeAsync(CancellationToken token, params string[] arguments) => (await RunAsync("make", arguments, token)).Succeeded();
}
