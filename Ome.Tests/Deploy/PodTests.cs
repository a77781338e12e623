using System.CommandLine;
using System.Text.Json.Nodes;
using Ome.Agent.Hosting;
using Ome.Operator;

namespace Ome.Tests.Deploy;

/// <summary>What runs in a cluster does so with least rights, is started with arguments it knows, and is asked where it answers.</summary>
[TestFixtureSource(typeof(Rendering), nameof(Rendering.Deployments))]
public sealed class PodTests(string deployment)
{
    private static readonly string[] AgentCapabilities = ["DAC_OVERRIDE", "FOWNER", "CHOWN"];

    private IReadOnlyList<Manifest> _all = [];

    private Manifest Agent => _all.Single(one => one.Kind == "DaemonSet");

    private Manifest Operator => _all.Single(one => one.Kind == "Deployment");

    [OneTimeSetUp, CancelAfter(180_000)]
    public async Task RenderAsync() => _all = await Rendering.DeploymentAsync(deployment, CancellationToken.None);

    [Test]
    public void Only_agent_and_operator_run_and_the_test_of_the_chart() =>
        _all.Where(one => one.RunsPods).Select(one => one.Name).Should()
            .BeEquivalentTo(deployment.Contains("chart") ? ["ome-model-agent-daemonset", "ome-operator", "ome-test-ready"] : ["ome-model-agent-daemonset", "ome-operator"]);

    [Test]
    public void No_container_may_do_more_than_it_needs()
    {
        foreach (var one in _all.Where(one => one.RunsPods))
        {
            var (pod, security) = (one.PodSpec, one.Container["securityContext"]!);
            ((string?)pod["securityContext"]!["seccompProfile"]!["type"]).Should().Be("RuntimeDefault");
            foreach (var shared in new[] { "hostNetwork", "hostPID", "hostIPC", "initContainers" }) pod.ContainsKey(shared).Should().BeFalse();
            ((bool?)security["readOnlyRootFilesystem"]).Should().BeTrue();
            ((bool?)security["allowPrivilegeEscalation"]).Should().BeFalse();
            ((bool?)security["privileged"]).Should().NotBeTrue();
            Texts(security["capabilities"]!["drop"]).Should().Equal("ALL");
            Texts(security["capabilities"]!["add"]).Should().BeSubsetOf(one == Agent ? AgentCapabilities : []);
            one.Container["resources"]!["limits"]!.AsObject().Should().ContainKey("memory");
            one.Container["resources"]!["requests"]!.AsObject().Should().ContainKeys("cpu", "memory");
        }
    }

    [Test]
    public void Only_the_agent_is_root_and_only_it_sees_the_host()
    {
        foreach (var one in _all.Where(one => one.RunsPods && one.Kind != "DaemonSet"))
        {
            ((bool?)one.PodSpec["securityContext"]!["runAsNonRoot"]).Should().BeTrue();
            Volumes(one).Should().NotContain(volume => volume.ContainsKey("hostPath"));
        }
    }

    [Test]
    public void The_agent_mounts_its_models_root_and_further_roots_for_reading_at_their_own_paths()
    {
        var settings = ChartSettings.Effective<AgentOptions>(Agent.Arguments());
        var mounts = Agent.Container["volumeMounts"]!.AsArray().ToDictionary(mount => (string)mount!["name"]!, mount => mount!.AsObject());
        var host = Volumes(Agent).Where(volume => volume.ContainsKey("hostPath") && (string)volume["name"]! != "state")
            .Select(volume => (Path: (string)volume["hostPath"]!["path"]!, Mount: mounts[(string)volume["name"]!])).ToList();

        host.Should().OnlyContain(one => (string?)one.Mount["mountPath"] == one.Path);
        host.Select(one => one.Path).Should().Equal([settings.ModelsRoot, .. settings.LocalRoots]);
        host.Where(one => (bool?)one.Mount["readOnly"] == true).Select(one => one.Path).Should().Equal(settings.LocalRoots);
    }

    [Test]
    public void Every_argument_is_one_the_program_knows()
    {
        ChartSettings.Effective<AgentOptions>(Agent.Arguments()).ModelsRoot.Should().StartWith("/");
        ChartSettings.Effective<OperatorOptions>(Operator.Arguments()).Port.Should().BePositive();
        if (_all.SingleOrDefault(one => one.Kind == "Pod") is not { } test) return;
        var root = new RootCommand { ReadyCommand.Create(TextWriter.Null, TextWriter.Null) };
        root.Parse([.. test.Arguments()]).Errors.Should().BeEmpty();
    }

    [Test]
    public void Probes_and_scrapers_ask_the_port_and_the_paths_that_are_served()
    {
        var agentPort = ChartSettings.Effective<AgentOptions>(Agent.Arguments()).Port;
        var operatorPort = ChartSettings.Effective<OperatorOptions>(Operator.Arguments()).Port;

        Probes(Agent).Should().Equal("startupProbe /livez http", "livenessProbe /livez http", "readinessProbe /healthz http");
        Probes(Operator).Should().Equal("startupProbe /healthz http", "livenessProbe /healthz http", "readinessProbe /readyz http");
        foreach (var (one, port) in new[] { (Agent, agentPort), (Operator, operatorPort) })
        {
            one.Container["ports"]!.AsArray().Should().ContainSingle(named => (string)named!["name"]! == "http" && (int)named["containerPort"]! == port);
            ((string?)one.Json["spec"]!["template"]!["metadata"]!["annotations"]!["prometheus.io/port"]).Should().Be($"{port}");
        }
    }

    [Test]
    public void Selectors_find_the_pods_and_accounts_exist()
    {
        foreach (var one in new[] { Agent, Operator })
        {
            var labels = one.Json["spec"]!["template"]!["metadata"]!["labels"]!.AsObject();
            Selects(one.Json["spec"]!["selector"]!["matchLabels"]!, labels).Should().BeTrue();
            ((bool?)_all.Single(account => account.Kind == "ServiceAccount" && account.Name == (string)one.PodSpec["serviceAccountName"]!).Json["automountServiceAccountToken"]).Should().BeFalse();
            ((bool?)one.PodSpec["automountServiceAccountToken"]).Should().BeTrue();
            if (one.PodSpec["priorityClassName"] is { } priority) _all.Should().ContainSingle(made => made.Kind == "PriorityClass" && made.Name == (string)priority!);
            if (one != Operator) continue;
            Selects(_all.Single(service => service.Kind == "Service").Json["spec"]!["selector"]!, labels).Should().BeTrue();
            foreach (var budget in _all.Where(made => made.Kind == "PodDisruptionBudget"))
            {
                Selects(budget.Json["spec"]!["selector"]!["matchLabels"]!, labels).Should().BeTrue();
                ((int?)budget.Json["spec"]!["maxUnavailable"]).Should().Be(1);
            }
        }
    }

    [Test]
    public void The_agent_is_told_its_node_and_the_names_are_OMEs()
    {
        var environment = Agent.Container["env"]!.AsArray().ToDictionary(variable => (string)variable!["name"]!, variable => variable!["valueFrom"]);

        ((string?)environment["NODE_NAME"]!["fieldRef"]!["fieldPath"]).Should().Be("spec.nodeName");
        ((string?)environment["POD_NAMESPACE"]!["fieldRef"]!["fieldPath"]).Should().Be("metadata.namespace");
        ((string?)environment["INSTANCE_TYPE_MAP"]!["configMapKeyRef"]!["name"]).Should().Be("model-agent-config-map");
        ((string?)environment["INSTANCE_TYPE_MAP"]!["configMapKeyRef"]!["key"]).Should().Be("instance-type-map");
        ((string?)Agent.PodSpec["serviceAccountName"]).Should().Be("ome-model-agent");
        ((string?)Agent.Json["spec"]!["template"]!["metadata"]!["labels"]!["app.kubernetes.io/component"]).Should().Be("ome-model-agent-daemonset");
        ((string?)Agent.Json["spec"]!["template"]!["metadata"]!["labels"]!["logging-forward"]).Should().Be("enabled");
    }

    private static IEnumerable<string> Texts(JsonNode? list) => list?.AsArray().Select(item => (string)item!) ?? [];

    private static IEnumerable<JsonObject> Volumes(Manifest one) => one.PodSpec["volumes"]?.AsArray().Select(volume => volume!.AsObject()) ?? [];

    private static bool Selects(JsonNode selector, JsonObject labels) => selector.AsObject().All(pair => (string?)labels[pair.Key] == (string)pair.Value!);

    private static IEnumerable<string> Probes(Manifest one) => new[] { "startupProbe", "livenessProbe", "readinessProbe" }
        .Select(name => $"{name} {one.Container[name]!["httpGet"]!["path"]} {one.Container[name]!["httpGet"]!["port"]}");
}
