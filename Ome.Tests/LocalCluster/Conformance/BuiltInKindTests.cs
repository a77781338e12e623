using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>What single built-in kinds do that Ome relies on.</summary>
public sealed class BuiltInKindTests : ConformanceTest
{
    [Test, CancelAfter(120_000)]
    public async Task An_event_is_one_object_in_both_groups(CancellationToken ct)
    {
        var core = $"/api/v1/namespaces/{Namespace}/events";
        var body = $$$"""
            {"metadata":{"name":"e"},"involvedObject":{"kind":"ConfigMap","namespace":"{{{Namespace}}}","name":"a","uid":"u1"},
             "reason":"Tested","message":"it happened","type":"Normal","firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:00:00Z","count":1,
             "source":{"component":"tests"}}
            """;
        (await Api.PostAsync(core, body, ct)).Expect(201);

        var other = (await Api.GetAsync($"/apis/events.k8s.io/v1/namespaces/{Namespace}/events/e", ct)).Expect(200);

        ((string?)other.Json["apiVersion"]).Should().Be("events.k8s.io/v1");
        ((string?)other.Json["note"]).Should().Be("it happened");
        ((string?)other.Json["regarding"]!["name"]).Should().Be("a");
        ((int?)other.Json["deprecatedCount"]).Should().Be(1);
        Names(await Api.GetAsync($"{core}?fieldSelector=involvedObject.name%3Da,involvedObject.kind%3DConfigMap,involvedObject.uid%3Du1", ct)).Should().Equal("e");
        Names(await Api.GetAsync($"{core}?fieldSelector=reason%3DOther", ct)).Should().BeEmpty();
    }

    [Test, CancelAfter(120_000)]
    public async Task An_event_written_in_the_new_group_is_read_in_the_old(CancellationToken ct)
    {
        var body = $$$"""
            {"metadata":{"name":"n"},"regarding":{"kind":"ConfigMap","namespace":"{{{Namespace}}}","name":"a"},"reason":"Tested","note":"new","type":"Warning",
             "action":"Testing","reportingController":"ome.io/tests","reportingInstance":"t-1","eventTime":"2026-01-01T00:00:00.000000Z"}
            """;
        (await Api.PostAsync($"/apis/events.k8s.io/v1/namespaces/{Namespace}/events", body, ct)).Expect(201);

        var core = (await Api.GetAsync($"/api/v1/namespaces/{Namespace}/events/n", ct)).Expect(200);

        ((string?)core.Json["message"]).Should().Be("new");
        ((string?)core.Json["involvedObject"]!["name"]).Should().Be("a");
    }

    [Test, CancelAfter(120_000)]
    public async Task An_event_must_lie_in_the_namespace_of_its_object(CancellationToken ct)
    {
        const string Body = """{"metadata":{"name":"e"},"involvedObject":{"kind":"Node","name":"n"},"reason":"Tested","type":"Normal"}""";

        (await Api.PostAsync($"/api/v1/namespaces/{Namespace}/events", Body, ct)).Refused(422, "Invalid").CauseFields.Should().Contain("involvedObject.namespace");
        var name = $"e-{Namespace}";
        (await Api.PostAsync("/api/v1/namespaces/default/events", Body.Replace("\"e\"", $"\"{name}\"", StringComparison.Ordinal), ct)).Expect(201);
        (await Api.DeleteAsync($"/api/v1/namespaces/default/events/{name}", ct)).Expect(200);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_lease_keeps_its_microseconds_and_its_version(CancellationToken ct)
    {
        var leases = $"/apis/coordination.k8s.io/v1/namespaces/{Namespace}/leases";
        var created = (await Api.PostAsync(leases, """{"metadata":{"name":"l"},"spec":{"holderIdentity":"me","leaseDurationSeconds":15,"renewTime":"2026-01-01T00:00:00.123456Z"}}""", ct)).Expect(201);

        ((string?)created.Json["spec"]!["renewTime"]).Should().Be("2026-01-01T00:00:00.123456Z");
        (await Api.PutAsync($"{leases}/l", Edit(created, o => o["spec"]!["holderIdentity"] = "you"), ct)).Expect(200);
        (await Api.PutAsync($"{leases}/l", Edit(created, o => o["spec"]!["holderIdentity"] = "them"), ct)).Refused(409, "Conflict");
        (await Api.PostAsync(leases, """{"metadata":{"name":"bad"},"spec":{"leaseDurationSeconds":0}}""", ct)).Refused(422, "Invalid").CauseFields.Should().Contain("spec.leaseDurationSeconds");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_secret_turns_stringData_into_data(CancellationToken ct)
    {
        var created = (await Api.PostAsync($"/api/v1/namespaces/{Namespace}/secrets", """{"metadata":{"name":"s"},"stringData":{"token":"hello"}}""", ct)).Expect(201);

        ((string?)created.Json["data"]!["token"]).Should().Be("aGVsbG8=");
        created.Json.ContainsKey("stringData").Should().BeFalse();
        ((string?)created.Json["type"]).Should().Be("Opaque");
    }

    [Test, CancelAfter(120_000)]
    public async Task An_immutable_ConfigMap_cannot_be_changed(CancellationToken ct)
    {
        (await Api.PostAsync(ConfigMaps, """{"metadata":{"name":"i"},"data":{"k":"1"},"immutable":true}""", ct)).Expect(201);

        (await Api.PatchAsync($"{ConfigMaps}/i", RawApi.MergePatch, """{"data":{"k":"2"}}""", ct)).Refused(422, "Invalid");
        (await Api.PatchAsync($"{ConfigMaps}/i", RawApi.MergePatch, """{"metadata":{"labels":{"l":"1"}}}""", ct)).Expect(200);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_node_takes_labels_by_patch_and_has_no_namespace(CancellationToken ct)
    {
        var node = $"/api/v1/nodes/{Namespace}";
        (await Api.PostAsync("/api/v1/nodes", $$$$"""{"metadata":{"name":"{{{{Namespace}}}}","labels":{"gpu":"h100"}}}""", ct)).Expect(201);

        var labelled = (await Api.PatchAsync(node, RawApi.StrategicPatch, """{"metadata":{"labels":{"models.ome.io/clusterbasemodel.x":"Ready"}}}""", ct)).Expect(200);
        var removed = (await Api.PatchAsync(node, RawApi.MergePatch, """{"metadata":{"labels":{"models.ome.io/clusterbasemodel.x":null}}}""", ct)).Expect(200);
        await Api.DeleteAsync(node, ct);

        ((string?)labelled.Metadata["labels"]!["gpu"]).Should().Be("h100");
        labelled.Metadata["labels"]!.AsObject().Should().HaveCountGreaterThan(removed.Metadata["labels"]!.AsObject().Count);
        labelled.Metadata["namespace"].Should().BeNull();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_deployment_counts_generations_and_scales(CancellationToken ct)
    {
        var path = $"/apis/apps/v1/namespaces/{Namespace}/deployments";
        var created = (await Api.PostAsync(path, Deployments.Json("d"), ct)).Expect(201);
        ((long?)created.Metadata["generation"]).Should().Be(1);

        (await Api.PatchAsync($"{path}/d/scale", RawApi.MergePatch, """{"spec":{"replicas":5}}""", ct)).Expect(200);

        var scaled = await Api.GetAsync($"{path}/d", ct);
        ((int?)scaled.Json["spec"]!["replicas"]).Should().Be(5);
        ((long?)scaled.Metadata["generation"]).Should().Be(2);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_namespace_that_is_deleted_takes_nothing_new(CancellationToken ct)
    {
        var doomed = await Plane.CreateNamespaceAsync(ct);
        (await Api.PostAsync($"/api/v1/namespaces/{doomed}/configmaps", ConfigMap("held", metadata: ""","finalizers":["ome.io/test"]"""), ct)).Expect(201);

        ((string?)(await Api.DeleteAsync($"/api/v1/namespaces/{doomed}", ct)).Expect(200).Json["status"]!["phase"]).Should().Be("Terminating");

        var refused = (await Api.PostAsync($"/api/v1/namespaces/{doomed}/configmaps", ConfigMap("late"), ct)).Refused(403, "Forbidden");
        ((string?)refused.Json["details"]!["causes"]![0]!["reason"]).Should().Be("NamespaceTerminating");
        (await Api.PatchAsync($"/api/v1/namespaces/{doomed}/configmaps/held", RawApi.MergePatch, """{"metadata":{"finalizers":null}}""", ct)).Expect(200);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_namespace_carries_its_name_as_a_label(CancellationToken ct) =>
        ((string?)(await Api.GetAsync($"/api/v1/namespaces/{Namespace}", ct)).Metadata["labels"]!["kubernetes.io/metadata.name"]).Should().Be(Namespace);
}
