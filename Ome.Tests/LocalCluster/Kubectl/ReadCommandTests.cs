using System.Text.Json.Nodes;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Kubectl;

/// <summary>get, describe, explain, wait, events, discovery.</summary>
[TestFixtureSource(typeof(KubectlTest), nameof(Found))]
public sealed class ReadCommandTests(string found) : KubectlTest(found)
{
    [Test, CancelAfter(180_000)]
    public async Task Get_shows_the_printer_columns(CancellationToken ct)
    {
        await ApplyModelAsync("m", ct);

        var lines = (await OutputAsync(ct, "get", "basemodels")).Split('\n');

        lines[0].Should().MatchRegex("^NAME +DISABLED +VERSION +VENDOR .*READY +AGE");
        lines[1].Should().MatchRegex("^m +.*safetensors.* [0-9]+s$");
    }

    [Test, CancelAfter(180_000)]
    public async Task Get_wide_shows_more_columns(CancellationToken ct)
    {
        await Kubectl.RunWithInputAsync(Conformance.Deployments.Json("d"), ct, "create", "-n", Namespace, "-f", "-");

        (await OutputAsync(ct, "get", "deployments")).Split('\n')[0].Should().MatchRegex("^NAME +READY +UP-TO-DATE +AVAILABLE +AGE$");
        (await OutputAsync(ct, "get", "deployments", "-o", "wide")).Split('\n')[0].Should().Contain("CONTAINERS").And.Contain("IMAGES").And.Contain("SELECTOR");
    }

    [Test, CancelAfter(180_000)]
    public async Task Get_writes_yaml_and_json(CancellationToken ct)
    {
        await ApplyModelAsync("m", ct);

        (await OutputAsync(ct, "get", "basemodel", "m", "-o", "yaml")).Should().Contain("storageUri: hf://org/m").And.Contain("kind: BaseModel");
        var list = JsonNode.Parse(await OutputAsync(ct, "get", "basemodels", "-o", "json"))!;
        ((string?)list["items"]![0]!["spec"]!["storage"]!["storageUri"]).Should().Be("hf://org/m");
    }

    [Test, CancelAfter(180_000)]
    public async Task Get_selects_by_label_and_field_and_by_short_name(CancellationToken ct)
    {
        await ApplyModelAsync("a", ct, "labels: {g: one}");
        await ApplyModelAsync("b", ct, "labels: {g: two}");

        (await OutputAsync(ct, "get", "basemodels", "-l", "g in (two)", "-o", "name")).Trim().Should().Be("basemodel.ome.io/b");
        (await OutputAsync(ct, "get", "basemodels", "--field-selector", "metadata.name=a", "-o", "name")).Trim().Should().Be("basemodel.ome.io/a");
        (await OutputAsync(ct, "get", "basemodels", "--show-labels")).Should().Contain("g=one");
        (await OutputAsync(ct, "get", "cm,sa", "--ignore-not-found")).Should().NotBeNull();
        (await Kubectl.RunAsync(ct, "get", "mic")).ExitCode.Should().Be(0);
    }

    [Test, CancelAfter(180_000)]
    public async Task Get_watches(CancellationToken ct)
    {
        await ApplyModelAsync("a", ct);
        using var watch = Kubectl.Start("get", "basemodels", "-n", Namespace, "-w", "--output-watch-events");
        try
        {
            (await watch.StandardOutput.ReadLineAsync(ct)).Should().StartWith("EVENT");
            (await watch.StandardOutput.ReadLineAsync(ct)).Should().MatchRegex("^ADDED +a ");
            await OutputAsync(ct, "label", "basemodel", "a", "x=y");
            (await watch.StandardOutput.ReadLineAsync(ct)).Should().MatchRegex("^MODIFIED +a ");
            await OutputAsync(ct, "delete", "basemodel", "a");
            (await watch.StandardOutput.ReadLineAsync(ct)).Should().MatchRegex("^DELETED +a ");
        }
        finally
        {
            watch.Kill();
        }
    }

    [Test, CancelAfter(180_000)]
    public async Task Get_of_an_unknown_kind_says_so(CancellationToken ct) =>
        (await RunAsync(ct, "get", "unicorns")).Error.Should().Contain("the server doesn't have a resource type \"unicorns\"");

    [Test, CancelAfter(180_000)]
    public async Task Explain_knows_custom_and_built_in_fields(CancellationToken ct)
    {
        var custom = (await Kubectl.RunAsync(ct, "explain", "basemodel.spec.storage.storageUri")).Succeeded();
        var recursive = (await Kubectl.RunAsync(ct, "explain", "clusterbasemodel.spec", "--recursive")).Succeeded();
        var builtIn = (await Kubectl.RunAsync(ct, "explain", "deployment.spec.replicas")).Succeeded();

        custom.Should().Contain("KIND:       BaseModel").And.Contain("FIELD: storageUri <string>");
        recursive.Should().Contain("modelFormat").And.Contain("storageUri");
        builtIn.Should().Contain("FIELD: replicas <integer>");
    }

    [Test, CancelAfter(180_000)]
    public async Task Describe_shows_the_object_and_its_events(CancellationToken ct)
    {
        await ApplyModelAsync("m", ct);
        var uid = await OutputAsync(ct, "get", "basemodel", "m", "-o", "jsonpath={.metadata.uid}");
        await CreateEventAsync(uid, ct);

        var described = await OutputAsync(ct, "describe", "basemodel", "m");

        described.Should().Contain("Name:         m").And.Contain("Storage Uri:  hf://org/m").And.Contain("Tested").And.Contain("it happened");
        (await Kubectl.RunAsync(ct, "describe", "namespace", Namespace)).Succeeded().Should().Contain("Active");
    }

    [Test, CancelAfter(180_000)]
    public async Task Describe_of_nodes_pods_and_deployments_works(CancellationToken ct)
    {
        DeleteLater($"node/{Namespace}");
        var objects = $$$"""
            apiVersion: v1
            kind: Node
            metadata: {name: {{{Namespace}}}, labels: {gpu: h100}}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: p}
            spec: {containers: [{name: c, image: i}]}
            ---
            {{{Conformance.Deployments.Json("d").ReplaceLineEndings(" ")}}}
            """;
        (await Kubectl.RunWithInputAsync(objects, ct, "create", "-n", Namespace, "-f", "-")).Succeeded();

        (await Kubectl.RunAsync(ct, "describe", "node", Namespace)).Succeeded().Should().Contain("gpu=h100");
        (await OutputAsync(ct, "describe", "pod", "p")).Should().Contain("Pending");
        (await OutputAsync(ct, "describe", "deployment", "d")).Should().Contain("app=x");
        (await OutputAsync(ct, "get", "pods,deployments")).Should().Contain("pod/p").And.Contain("deployment.apps/d");
    }

    [Test, CancelAfter(180_000)]
    public async Task Wait_ends_when_a_jsonpath_has_its_value(CancellationToken ct)
    {
        await ApplyModelAsync("m", ct);
        var waiting = RunAsync(ct, "wait", "--for=jsonpath={.status.state}=Ready", "basemodel/m", "--timeout=30s");

        await OutputAsync(ct, "patch", "basemodel", "m", "--subresource=status", "--type=merge", "-p", """{"status":{"state":"Ready"}}""");

        (await waiting).Succeeded().Should().Contain("condition met");
        (await Kubectl.RunAsync(ct, "wait", "--for=condition=Established", "crd/basemodels.ome.io", "--timeout=10s")).Succeeded().Should().Contain("condition met");
    }

    [Test, CancelAfter(180_000)]
    public async Task Get_events_lists_what_happened(CancellationToken ct)
    {
        await ApplyModelAsync("m", ct);
        await CreateEventAsync(await OutputAsync(ct, "get", "basemodel", "m", "-o", "jsonpath={.metadata.uid}"), ct);

        (await OutputAsync(ct, "get", "events")).Should().MatchRegex("LAST SEEN +TYPE +REASON +OBJECT +MESSAGE").And.MatchRegex("Normal +Tested +basemodel/m +it happened");
        (await OutputAsync(ct, "events", "--for", "basemodel/m")).Should().Contain("it happened");
    }

    [Test, CancelAfter(180_000)]
    public async Task Api_resources_and_versions_are_listed(CancellationToken ct)
    {
        (await Kubectl.RunAsync(ct, "api-resources", "--api-group=ome.io")).Succeeded().Should().MatchRegex("modelintegritychecks +mic +ome.io/v1beta1 +false +ModelIntegrityCheck");
        (await Kubectl.RunAsync(ct, "api-versions")).Succeeded().Split('\n').Should().Contain(["v1", "apps/v1", "ome.io/v1beta1", "coordination.k8s.io/v1"]);
        (await Kubectl.RunAsync(ct, "version")).Succeeded().Should().Contain("Server Version");
    }

    [Test, CancelAfter(180_000)]
    public async Task Auth_can_i_asks_for_oneself_and_for_others(CancellationToken ct)
    {
        (await OutputAsync(ct, "auth", "can-i", "delete", "configmaps")).Trim().Should().Be("yes");
        var whoami = await Kubectl.RunAsync(ct, "auth", "whoami");
        if (Plane.Minor >= 28) whoami.Succeeded().Should().Contain("system:masters");
    }

    private async Task CreateEventAsync(string uid, CancellationToken ct)
    {
        var body = $$$"""
            {"metadata":{"name":"e"},"involvedObject":{"apiVersion":"ome.io/v1beta1","kind":"BaseModel","namespace":"{{{Namespace}}}","name":"m","uid":"{{{uid}}}"},
             "reason":"Tested","message":"it happened","type":"Normal","count":1,"source":{"component":"tests"},
             "firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:00:00Z"}
            """;
        using var api = new RawApi(Plane.Configuration);
        (await api.PostAsync($"/api/v1/namespaces/{Namespace}/events", body, ct)).Expect(201);
    }
}
