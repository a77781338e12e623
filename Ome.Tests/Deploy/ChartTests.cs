using System.Text.Json.Nodes;
using Ome.Agent.Hosting;
using Ome.Operator;
using Ome.Tests.Support;

namespace Ome.Tests.Deploy;

/// <summary>The chart brings the same objects as config/, and each value does what it says.</summary>
public sealed class ChartTests
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Test, CancelAfter(180_000)]
    public async Task Helm_has_nothing_to_say_against_the_chart(CancellationToken token) =>
        (await Tool.RunAsync("helm", token, "lint", "--strict", Rendering.Chart, "--values", Rendering.FullValues)).Succeeded().Should().Contain("0 chart(s) failed");

    [Test, CancelAfter(120_000)]
    public async Task Chart_and_kustomize_bring_the_same_objects(CancellationToken token)
    {
        var chart = (await Rendering.HelmAsync(token)).Where(one => one.Kind != "Pod");
        var config = Manifest.Parse(await Rendering.KustomizeTextAsync("default", token)).Where(one => one.Kind != "Namespace")
            .Concat(Manifest.Parse(await Rendering.KustomizeTextAsync("policy", token)));

        ById(chart).Should().BeEquivalentTo(ById(config));
    }

    [Test, CancelAfter(120_000)]
    public async Task Gpu_nodes_are_the_same_ones_with_both(CancellationToken token)
    {
        var chart = await Rendering.HelmAsync(token, "--set", "agent.gpuNodesOnly=true");
        var config = Manifest.Parse(await Rendering.KustomizeTextAsync("overlays/gpu-nodes", token));

        Agent(chart).PodSpec["affinity"]!.ToJsonString().Should().Be(Agent(config).PodSpec["affinity"]!.ToJsonString());
    }

    [Test, CancelAfter(180_000)]
    public async Task The_least_that_works_has_no_right_that_the_default_lacks(CancellationToken token)
    {
        var all = Rights(Manifest.Parse(await Rendering.KustomizeTextAsync("default", token)));
        var least = Rights(Manifest.Parse(await Rendering.KustomizeTextAsync("overlays/minimal", token)));

        least.Should().BeSubsetOf(all);
        all.Except(least).Should().OnlyContain(right => right.Contains("leases", StringComparison.Ordinal)).And.NotBeEmpty();
    }

    [Test]
    public void The_full_values_forget_no_value()
    {
        var all = Leaves(JsonNode.Parse(Golden.CanonicalYaml(Golden.ReadFile(Rendering.Chart + "/values.yaml")))![0], "");
        var full = Leaves(JsonNode.Parse(Golden.CanonicalYaml(Golden.ReadFile(Rendering.FullValues)))![0], "").ToList();

        all.Where(path => !full.Any(set => $"{set}.".StartsWith(path + ".", StringComparison.Ordinal) || path.StartsWith(set + ".", StringComparison.Ordinal))).Should().BeEmpty();
    }

    [Test, CancelAfter(180_000)]
    public async Task Every_setting_reaches_the_program(CancellationToken token)
    {
        var values = JsonNode.Parse(Golden.CanonicalYaml(Golden.ReadFile(Rendering.FullValues)))![0]!;
        var full = await Rendering.HelmAsync(token, "--values", Rendering.FullValues);

        var agent = ChartSettings.Effective<AgentOptions>(Agent(full).Arguments());
        var @operator = ChartSettings.Effective<OperatorOptions>(full.Single(one => one.Kind == "Deployment").Arguments());
        (agent.DownloadBytesPerSecond, agent.Watch, agent.IntegrityMode.ToString()).Should().Be((1_500_000_000L, false, "Off"));
        agent.LocalRoots.Should().Equal("/nfs/models", "/scratch");
        foreach (var (settings, options, name) in new[] { (ChartSettings.Agent(), (object)agent, "agent"), (ChartSettings.Operator(), @operator, "operator") })
        {
            foreach (var setting in settings.Settings) setting.Text(options).Should().NotBe(settings.DefaultText(setting), "{0} is set", setting.Flag.Name);
            values[name]!["settings"]!.AsObject().Select(pair => pair.Key).Should().BeEquivalentTo(settings.Settings.Select(ChartSettings.Key));
        }
    }

    [TestCase("agent.settings.integrityInterval=soon", "/agent/settings/integrityInterval")]
    [TestCase("agent.settings.integrityMode=Sometimes", "/agent/settings/integrityMode")]
    [TestCase("agent.settings.port=70000", "/agent/settings/port")]
    [TestCase("agent.settings.modelsRootDir=models", "/agent/settings/modelsRootDir")]
    [TestCase("agent.settings.integrityBytesPerSecond=fast", "/agent/settings/integrityBytesPerSecond")]
    [TestCase("agent.settings.integrityWatch=maybe", "/agent/settings/integrityWatch")]
    [TestCase("agent.settings.interval=10m", "'interval'")]
    [TestCase("agent.secretNamespaces={Team_A}", "/agent/secretNamespaces/0")]
    [TestCase("agent.image.digest=latest", "/agent/image/digest")]
    [TestCase("operator.settings.leaderElect=2", "/operator/settings/leaderElect")]
    [TestCase("operator.replicas=many", "/operator/replicas")]
    [TestCase("operators.replicas=1", "'operators'")]
    [TestCase("image.pullPolicy=Often", "/image/pullPolicy")]
    [CancelAfter(180_000)]
    public async Task A_wrong_value_is_refused_and_named(string value, string named, CancellationToken token) =>
        (await Rendering.HelmRunAsync(token, "--set", value)).Refused().Should().Contain(named);

    [Test, CancelAfter(180_000)]
    public async Task Crds_are_kept_unless_told_and_left_to_others_when_told(CancellationToken token)
    {
        (await CrdsAsync()).Should().Equal("basemodels.ome.io keep", "clusterbasemodels.ome.io keep", "modelintegritychecks.ome.io keep");
        (await CrdsAsync("--set", "crds.keep=false")).Should().Equal("basemodels.ome.io ", "clusterbasemodels.ome.io ", "modelintegritychecks.ome.io ");
        (await CrdsAsync("--set", "crds.models=false")).Should().Equal("modelintegritychecks.ome.io keep");
        (await CrdsAsync("--set", "crds.install=false")).Should().BeEmpty();

        async Task<IEnumerable<string>> CrdsAsync(params string[] arguments) => (await Rendering.HelmAsync(token, arguments))
            .Where(one => one.Kind == "CustomResourceDefinition").Select(one => $"{one.Name} {one.Json["metadata"]!["annotations"]?["helm.sh/resource-policy"]}").Order(StringComparer.Ordinal);
    }

    [TestCase("v1.33.0", true, 4)]
    [TestCase("v1.29.9", true, 0)]
    [TestCase("v1.30.0-eks-1", true, 4)]
    [TestCase("v1.33.0", false, 0)]
    [CancelAfter(180_000)]
    public async Task Policies_come_where_the_cluster_can_judge_them(string version, bool enabled, int policies, CancellationToken token) =>
        (await Rendering.HelmAsync(token, "--kube-version", version, "--set", $"policy.enabled={(enabled ? "true" : "false")}"))
            .Count(one => one.Kind == "ValidatingAdmissionPolicy").Should().Be(policies);

    [Test, CancelAfter(180_000)]
    public async Task Secrets_are_readable_in_the_named_namespaces_only(CancellationToken token)
    {
        var one = (await Rendering.HelmAsync(token, "--namespace", "models", "--set", "agent.secretNamespaces={team-a}")).Where(made => made.Name == "ome-model-agent-secrets").ToList();

        one.Should().HaveCount(2).And.OnlyContain(made => (string)made.Json["metadata"]!["namespace"]! == "team-a");
        ((string?)one.Single(made => made.Kind == "RoleBinding").Json["subjects"]![0]!["namespace"]).Should().Be("models");
        (await Rendering.HelmAsync(token)).Should().NotContain(made => made.Json.ToJsonString().Contains("\"secrets\"", StringComparison.Ordinal) && made.Kind.EndsWith("Role", StringComparison.Ordinal));
    }

    [TestCase("operator.image.digest=" + Digest, "ome-operator@" + Digest)]
    [TestCase("image.registry=registry.example/ome", "registry.example/ome/ome-operator:0.1.0")]
    [TestCase("image.tag=2", "ome-operator:2")]
    [TestCase("operator.image.tag=3", "ome-operator:3")]
    [CancelAfter(180_000)]
    public async Task Images_are_named_by_registry_tag_and_digest(string value, string image, CancellationToken token) =>
        ((string?)(await Rendering.HelmAsync(token, "--set-string", value)).Single(one => one.Kind == "Deployment").Container["image"]).Should().Be(image);

    private static Manifest Agent(IEnumerable<Manifest> all) => all.Single(one => one.Kind == "DaemonSet");

    /// <summary>What an object means: without the marks of Helm and the tag of the image, with arguments as the program understands them.</summary>
    private static Dictionary<string, string> ById(IEnumerable<Manifest> all) => all.ToDictionary(one => one.Id, one =>
    {
        var json = (JsonObject)one.Json.DeepClone();
        var copy = new Manifest(json);
        var metadata = json["metadata"]!.AsObject();
        foreach (var mark in new[] { "app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart" }) metadata["labels"]?.AsObject().Remove(mark);
        if (one.Kind == "CustomResourceDefinition") metadata.Remove("labels");
        if (metadata["annotations"] is JsonObject annotations && annotations.Remove("helm.sh/resource-policy") && annotations.Count == 0) metadata.Remove("annotations");
        if (!copy.RunsPods) return copy.ToString();
        copy.Container["image"] = ((string)copy.Container["image"]!).Split(':')[0];
        copy.Container["args"] = one.Kind == "DaemonSet"
            ? ChartSettings.Describe(ChartSettings.Effective<AgentOptions>(one.Arguments()))
            : ChartSettings.Describe(ChartSettings.Effective<OperatorOptions>(one.Arguments()));
        return copy.ToString();
    });

    private static HashSet<string> Rights(IEnumerable<Manifest> all) =>
    [
        .. from role in all
           where role.Kind.EndsWith("Role", StringComparison.Ordinal)
           from rule in role.Json["rules"]!.AsArray()
           from resource in rule!["resources"]!.AsArray()
           from verb in rule["verbs"]!.AsArray()
           select $"{role.Id}: {verb} {resource}",
    ];

    private static IEnumerable<string> Leaves(JsonNode? node, string path) => node is JsonObject { Count: > 0 } map
        ? map.SelectMany(pair => Leaves(pair.Value, path.Length == 0 ? pair.Key : $"{path}.{pair.Key}"))
        : [path];
}
