using System.Net;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Tests.Architecture;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Manifests;

/// <summary>config/policy and config/rbac on a real API server: what an agent's token can and cannot do, and what authors are told.</summary>
public sealed class PolicyTests
{
    private const int Limit = 120_000;
    private const string Ns = OmeNames.DefaultNamespace;

    private ITestControlPlane _plane = null!;
    private Kubernetes _agent = null!;
    private Kubernetes _homeless = null!;
    private CancellationToken _stop;

    [OneTimeSetUp, CancelAfter(Limit)]
    public async Task InstallAsync()
    {
        if (ControlPlanes.Assets is null) Assert.Ignore("admission policies run on a real API server only: set KUBEBUILDER_ASSETS to the folder of etcd and kube-apiserver");
        _plane = await ControlPlanes.StartAsync(CancellationToken.None);
        _plane.RequireMinor(30, "ValidatingAdmissionPolicy v1 and the node claim in tokens");
        await _plane.InstallCrdsAsync(Path.Combine(RepositoryTests.RepositoryRoot(), "config", "crd"), CancellationToken.None);
        await _plane.Admin.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new() { Name = Ns } });
        foreach (var folder in new[] { "rbac", "policy" }) await ApplyAsync(Path.Combine(RepositoryTests.RepositoryRoot(), "config", folder));
        foreach (var name in new[] { "node-1", "node-2" }) await _plane.Admin.CoreV1.CreateNodeAsync(Node(name));
        _homeless = new Kubernetes(await _plane.CreateServiceAccountConfigurationAsync(Ns, RightsNames.Agent, CancellationToken.None));
        _agent = await AgentOnAsync("node-1");
        await UntilPoliciesWorkAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _agent?.Dispose();
        _homeless?.Dispose();
        if (_plane is not null) await _plane.DisposeAsync();
    }

    [SetUp]
    public void TakeToken() => _stop = TestContext.CurrentContext.CancellationToken;

    [TestCase("""{"metadata":{"labels":{"models.ome.io/clusterbasemodel.m":"Ready"}}}""")]
    [TestCase("""{"metadata":{"labels":{"models.ome.io/clusterbasemodel.m":null}}}""")]
    [CancelAfter(Limit)]
    public async Task An_agent_sets_and_removes_model_labels_of_its_own_node(string patch) => await PatchNodeAsync(_agent, "node-1", patch);

    [TestCase("node-2", """{"metadata":{"labels":{"models.ome.io/clusterbasemodel.m":"Ready"}}}""", "its own node only; this one runs on node-1")]
    [TestCase("node-1", """{"metadata":{"labels":{"node-role.kubernetes.io/control-plane":""}}}""", "labels under models.ome.io/ only")]
    [TestCase("node-1", """{"metadata":{"labels":{"kept":"changed"}}}""", "labels under models.ome.io/ only")]
    [TestCase("node-1", """{"metadata":{"labels":{"kept":null}}}""", "labels under models.ome.io/ only")]
    [TestCase("node-1", """{"metadata":{"annotations":{"a":"b"}}}""", "annotations")]
    [TestCase("node-1", """{"metadata":{"finalizers":["a.b/c"]}}""", "finalizers")]
    [TestCase("node-1", """{"spec":{"unschedulable":true}}""", "spec")]
    [TestCase("node-1", """{"spec":{"taints":[{"key":"k","effect":"NoExecute"}]}}""", "spec")]
    [CancelAfter(Limit)]
    public async Task An_agent_changes_nothing_else_of_any_node(string node, string patch, string why) =>
        await RefusedAsync(() => PatchNodeAsync(_agent, node, patch), why);

    [Test, CancelAfter(Limit)]
    public async Task An_agent_sets_its_own_condition_and_no_other_part_of_the_status()
    {
        await PatchNodeStatusAsync("node-1", """{"status":{"conditions":[{"type":"ModelStorageDegraded","status":"True","reason":"ReadErrors","message":"m"}]}}""");
        await PatchNodeStatusAsync("node-1", """{"status":{"conditions":[{"type":"ModelStorageDegraded","status":"False","reason":"Fine","message":"m"}]}}""");

        await RefusedAsync(() => PatchNodeStatusAsync("node-1", """{"status":{"conditions":[{"type":"Ready","status":"True"}]}}"""), "ModelStorageDegraded only");
        await RefusedAsync(() => PatchNodeStatusAsync("node-1", """{"status":{"conditions":[{"type":"Other","status":"True"}]}}"""), "ModelStorageDegraded only");
        await RefusedAsync(() => PatchNodeStatusAsync("node-1", """{"status":{"capacity":{"nvidia.com/gpu":"99"}}}"""), "nothing of a node's status");
        await RefusedAsync(() => PatchNodeStatusAsync("node-1", """{"status":{"addresses":[{"type":"InternalIP","address":"6.6.6.6"}]}}"""), "nothing of a node's status");
        await RefusedAsync(() => PatchNodeStatusAsync("node-1", """{"metadata":{"labels":{"kept":"x"}}}"""), "labels under models.ome.io/ only");
        await RefusedAsync(
            () => PatchNodeStatusAsync("node-2", """{"status":{"conditions":[{"type":"ModelStorageDegraded","status":"True"}]}}"""), "its own node only");
    }

    [Test, CancelAfter(Limit)]
    public async Task An_agent_writes_the_report_of_its_own_node_only()
    {
        await _agent.CoreV1.CreateNamespacedConfigMapAsync(Report("node-1"), Ns, cancellationToken: _stop);
        await PatchReportAsync("node-1");

        await _plane.Admin.CoreV1.CreateNamespacedConfigMapAsync(Report("node-2"), Ns, cancellationToken: _stop);
        await RefusedAsync(() => PatchReportAsync("node-2"), "named after its own node only");
        await RefusedAsync(() => _agent.CoreV1.CreateNamespacedConfigMapAsync(Report("node-3"), Ns, cancellationToken: _stop), "named after its own node only");
        await RefusedAsync(() => _agent.CoreV1.DeleteNamespacedConfigMapAsync("node-1", Ns, cancellationToken: _stop), "cannot delete");
        await RefusedAsync(() => _agent.CoreV1.CreateNamespacedConfigMapAsync(Report("node-1"), "default", cancellationToken: _stop), "cannot create");
    }

    [Test, CancelAfter(Limit)]
    public async Task An_agent_writes_the_checks_of_its_own_node_only()
    {
        await CreateCheckAsync(_agent, "node-1");
        await PatchCheckAsync("node-1", """{"status":{"result":"Valid"}}""", status: true);

        await CreateCheckAsync((Kubernetes)_plane.Admin, "node-2");
        await RefusedAsync(() => CreateCheckAsync(_agent, "node-3"), "checks of its own node only");
        await RefusedAsync(() => PatchCheckAsync("node-2", """{"status":{"result":"Valid"}}""", status: true), "checks of its own node only");
        await RefusedAsync(() => PatchCheckAsync("node-2", """{"spec":{"mode":"Off"}}""", status: false), "checks of its own node only");
        await RefusedAsync(() => DeleteCheckAsync("node-2"), "checks of its own node only");
        await DeleteCheckAsync("node-1");
    }

    [Test, CancelAfter(Limit)]
    public async Task A_token_that_names_no_node_writes_nothing()
    {
        await RefusedAsync(() => PatchNodeAsync(_homeless, "node-1", """{"metadata":{"labels":{"models.ome.io/x":"Ready"}}}"""), "names no node");
        await RefusedAsync(() => _homeless.CoreV1.CreateNamespacedConfigMapAsync(Report("node-9"), Ns, cancellationToken: _stop), "names no node");
        await RefusedAsync(() => CreateCheckAsync(_homeless, "node-9"), "names no node");
    }

    [TestCase("secrets")]
    [TestCase("pods")]
    [CancelAfter(Limit)]
    public async Task An_agent_reads_nothing_it_has_no_use_for(string resource)
    {
        var review = new V1SelfSubjectAccessReview { Spec = new() { ResourceAttributes = new() { Verb = "get", Resource = resource, NamespaceProperty = Ns } } };
        (await _agent.AuthorizationV1.CreateSelfSubjectAccessReviewAsync(review, cancellationToken: _stop)).Status.Allowed.Should().BeFalse();
    }

    [Test, CancelAfter(Limit)]
    public async Task Other_users_are_not_limited() =>
        await PatchNodeAsync((Kubernetes)_plane.Admin, "node-2", """{"metadata":{"labels":{"anything":"goes"}},"spec":{"unschedulable":true}}""");

    [TestCase("hf://a/b", "/mnt/a", "ome.io/integrity-mode", "Deep", "")]
    [TestCase("local:///mnt/a", null, "ome.io/integrity-interval", "1h30m", "")]
    [TestCase("ftp://a/b", "/mnt/a", "x", "y", "no known scheme")]
    [TestCase("hf:/a", "/mnt/a", "x", "y", "no known scheme")]
    [TestCase("gs://a/b", "/mnt/a", "x", "y", "nothing is fetched from")]
    [TestCase("hf://a/b", "mnt/a", "x", "y", "must be absolute")]
    [TestCase("hf://a/b", "/mnt/../a", "x", "y", "without '..'")]
    [TestCase("hf://a/b", "/mnt/..a", "x", "y", "")]
    [TestCase("oci://a/b", null, "x", "y", "spec.storage.path is not set")]
    [TestCase("hf://a/b", "/mnt/a", "ome.io/integrity-mode", "deep", "integrity-mode is 'deep'")]
    [TestCase("hf://a/b", "/mnt/a", "ome.io/integrity-on-damage", "Explode", "integrity-on-damage is 'Explode'")]
    [TestCase("hf://a/b", "/mnt/a", "ome.io/integrity-interval", "soon", "integrity-interval is 'soon'")]
    [TestCase("hf://a/b", "/mnt/a", "ome.io/integrity-deep-max-age", "", "integrity-deep-max-age is ''")]
    [CancelAfter(Limit)]
    public async Task An_author_is_warned_and_never_refused(string uri, string? path, string annotation, string value, string warning)
    {
        var model = new ClusterBaseModel
        {
            Metadata = new() { GenerateName = "warned-", Annotations = new Dictionary<string, string> { [annotation] = value } },
            Spec = new() { Storage = new() { StorageUri = uri, Path = path } },
        };

        var made = await _plane.Admin.CustomObjects.CreateClusterCustomObjectWithHttpMessagesAsync<ClusterBaseModel>(
            model, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, cancellationToken: _stop);

        var warnings = made.Response.Headers.Warning.Select(header => header.Text).ToList();
        if (warning.Length == 0) warnings.Should().BeEmpty();
        else warnings.Should().ContainSingle().Which.Should().Contain(warning);
    }

    private static V1Node Node(string name) => new()
    {
        Metadata = new() { Name = name, Labels = new Dictionary<string, string> { ["kept"] = "as-it-is" } },
        Status = new() { Conditions = [new V1NodeCondition { Type = "Ready", Status = "False" }] },
    };

    private static V1ConfigMap Report(string name) => new() { Metadata = new() { Name = name } };

    private static Task PatchNodeAsync(Kubernetes client, string name, string patch) =>
        client.CoreV1.PatchNodeAsync(new V1Patch(patch, V1Patch.PatchType.MergePatch), name);

    private Task PatchNodeStatusAsync(string name, string patch) =>
        _agent.CoreV1.PatchNodeStatusAsync(new V1Patch(patch, V1Patch.PatchType.StrategicMergePatch), name, cancellationToken: _stop);

    private Task PatchReportAsync(string name) =>
        _agent.CoreV1.PatchNamespacedConfigMapAsync(new V1Patch("""{"data":{"k":"v"}}""", V1Patch.PatchType.MergePatch), name, Ns, cancellationToken: _stop);

    private Task CreateCheckAsync(Kubernetes client, string node) => client.CustomObjects.CreateClusterCustomObjectAsync<ModelIntegrityCheck>(
        new ModelIntegrityCheck { Metadata = new() { Name = node + ".m" }, Spec = new() { NodeName = node, ModelRef = new() { Kind = "ClusterBaseModel", Name = "m" } } },
        OmeNames.Group,
        OmeNames.Version,
        ModelIntegrityCheck.Plural,
        cancellationToken: _stop);

    private Task PatchCheckAsync(string node, string patch, bool status)
    {
        var body = new V1Patch(patch, V1Patch.PatchType.MergePatch);
        return status
            ? _agent.CustomObjects.PatchClusterCustomObjectStatusAsync<JsonObject>(body, OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, node + ".m", cancellationToken: _stop)
            : _agent.CustomObjects.PatchClusterCustomObjectAsync<JsonObject>(body, OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, node + ".m", cancellationToken: _stop);
    }

    private Task DeleteCheckAsync(string node) =>
        _agent.CustomObjects.DeleteClusterCustomObjectAsync<JsonObject>(OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, node + ".m", cancellationToken: _stop);

    private static async Task RefusedAsync(Func<Task> write, string why)
    {
        var refused = (await write.Should().ThrowAsync<HttpOperationException>()).Which.Response;
        refused.StatusCode.Should().BeOneOf(HttpStatusCode.Forbidden, HttpStatusCode.UnprocessableEntity);
        refused.Content.Should().Contain(why);
    }

    /// <summary>A client with the token the agent's pod on a node would have.</summary>
    private async Task<Kubernetes> AgentOnAsync(string node)
    {
        var pod = new V1Pod
        {
            Metadata = new() { Name = "agent-" + node },
            Spec = new() { NodeName = node, ServiceAccountName = RightsNames.Agent, Containers = [new() { Name = "agent", Image = "agent" }] },
        };
        pod = await _plane.Admin.CoreV1.CreateNamespacedPodAsync(pod, Ns);
        var request = new Authenticationv1TokenRequest
        {
            Spec = new() { Audiences = [], ExpirationSeconds = 3600, BoundObjectRef = new() { ApiVersion = "v1", Kind = "Pod", Name = pod.Name(), Uid = pod.Uid() } },
        };
        var issued = await _plane.Admin.CoreV1.CreateNamespacedServiceAccountTokenAsync(request, RightsNames.Agent, Ns);
        var configuration = _plane.Configuration;
        configuration.AccessToken = issued.Status.Token;
        return new Kubernetes(configuration);
    }

    private async Task ApplyAsync(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*.yaml").Where(path => Path.GetFileName(path) != "kustomization.yaml").Order(StringComparer.Ordinal))
        {
            foreach (var one in (await KubernetesYaml.LoadAllFromFileAsync(file)).Cast<IKubernetesObject<V1ObjectMeta>>())
            {
                var mark = one.GetType().GetCustomAttributes(inherit: false).OfType<KubernetesEntityAttribute>().Single();
                var body = JsonNode.Parse(KubernetesJson.Serialize((object)one))!.AsObject();
                var objects = _plane.Admin.CustomObjects;
                if (one.Namespace() is { } ns) await objects.CreateNamespacedCustomObjectAsync<JsonObject>(body, mark.Group, mark.ApiVersion, ns, mark.PluralName);
                else await objects.CreateClusterCustomObjectAsync<JsonObject>(body, mark.Group, mark.ApiVersion, mark.PluralName);
            }
        }
    }

    /// <summary>Policies work a moment after they were made: until then, writes of the agent that they refuse would pass.</summary>
    private async Task UntilPoliciesWorkAsync()
    {
        foreach (var write in new Func<Task>[]
        {
            () => PatchNodeAsync(_homeless, "node-2", """{"metadata":{"labels":{"models.ome.io/probe":"x"}}}"""),
            () => _homeless.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = new() { GenerateName = "probe-" } }, Ns),
            () => CreateCheckAsync(_homeless, "probe-" + Guid.NewGuid()),
        })
        {
            while (!await IsRefusedAsync(write)) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
        }
    }

    private static async Task<bool> IsRefusedAsync(Func<Task> write)
    {
        try
        {
            await write();
            return false;
        }
        catch (HttpOperationException refused)
        {
            return refused.Response.Content.Contains("names no node", StringComparison.Ordinal);
        }
    }
}
