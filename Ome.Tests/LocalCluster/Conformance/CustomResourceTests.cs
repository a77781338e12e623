using System.Text.Json.Nodes;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>Kinds from a CRD: pruning, defaults, validation, generation, subresources.</summary>
public sealed class CustomResourceTests : ConformanceTest
{
    private CustomResources _custom = null!;

    private string Gauges => _custom.In(Namespace);

    protected override async Task PrepareAsync() => _custom = await CustomResources.InstallAsync(Api, Namespace, CancellationToken.None);

    [TearDown]
    public Task RemoveCrdAsync() => Api.DeleteAsync(_custom.CrdPath, CancellationToken.None);

    [Test, CancelAfter(120_000)]
    public async Task A_CRD_reports_that_it_is_established(CancellationToken ct)
    {
        JsonArray? conditions;
        do conditions = (await Api.GetAsync(_custom.CrdPath, ct)).Json["status"]?["conditions"] as JsonArray;
        while (conditions is null || conditions.Count < 2);

        conditions.Select(c => ((string?)c!["type"], (string?)c["status"])).Should().BeEquivalentTo([("NamesAccepted", "True"), ("Established", "True")]);
        var crd = await Api.GetAsync(_custom.CrdPath, ct);
        ((string?)crd.Json["status"]!["acceptedNames"]!["plural"]).Should().Be(CustomResources.Plural);
        crd.Json["status"]!["storedVersions"]!.ToJsonString().Should().Be("""["v1"]""");
        ((string?)crd.Json["spec"]!["names"]!["singular"]).Should().Be("gauge");
        ((string?)crd.Json["spec"]!["names"]!["listKind"]).Should().Be("GaugeList");
    }

    [Test, CancelAfter(120_000)]
    public async Task Defaults_are_filled_and_unknown_fields_pruned(CancellationToken ct)
    {
        var created = (await Api.PostAsync(Gauges, _custom.Json("a", """{"size":3,"extra":1,"free":{"any":{"thing":1}},"maybe":null}"""), ct)).Expect(201);

        created.Json["spec"]!["mode"]!.ToString().Should().Be("Slow");
        created.Json["spec"]!.AsObject().ContainsKey("extra").Should().BeFalse();
        created.Json["spec"]!["free"]!["any"]!["thing"]!.ToString().Should().Be("1");
        created.Json["spec"]!.AsObject().ContainsKey("maybe").Should().BeTrue("a nullable field keeps its null");
        created.Warnings.Should().ContainMatch("*unknown field*spec.extra*");
    }

    [Test, CancelAfter(120_000)]
    public async Task Strict_field_validation_refuses_unknown_fields(CancellationToken ct)
    {
        var refused = (await Api.PostAsync($"{Gauges}?fieldValidation=Strict", _custom.Json("a", """{"size":3,"extra":1}"""), ct)).Refused(400, "BadRequest");

        ((string?)refused.Json["message"]).Should().Contain("strict decoding error: unknown field \"spec.extra\"");
    }

    [TestCase("{}", "spec.size")]
    [TestCase("{\"size\":\"three\"}", "spec.size")]
    [TestCase("{\"size\":0}", "spec.size")]
    [TestCase("{\"size\":11}", "spec.size")]
    [TestCase("{\"size\":1,\"mode\":\"Other\"}", "spec.mode")]
    [TestCase("{\"size\":1,\"code\":\"ABC\"}", "spec.code")]
    [TestCase("{\"size\":1,\"code\":\"abcdef\"}", "spec.code")]
    [TestCase("{\"size\":1,\"tags\":[\"a\",\"a\"]}", "spec.tags[1]")]
    [TestCase("{\"size\":1,\"limits\":[{\"name\":\"a\"},{\"name\":\"a\"}]}", "spec.limits[1]")]
    [TestCase("{\"size\":1,\"limits\":[{\"value\":1}]}", "spec.limits[0].name")]
    [CancelAfter(120_000)]
    public async Task An_invalid_object_is_refused_by_field(string spec, string field, CancellationToken ct) =>
        (await Api.PostAsync(Gauges, _custom.Json("a", spec), ct)).Refused(422, "Invalid").CauseFields.Should().Contain(field);

    [Test, CancelAfter(120_000)]
    public async Task A_field_that_must_equal_its_old_value_cannot_be_changed(CancellationToken ct)
    {
        (await Api.PostAsync(Gauges, _custom.Json("a", """{"size":1,"home":{"city":"Rome","street":"one"}}"""), ct)).Expect(201);

        var refused = (await MergeAsync("a", """{"spec":{"home":{"city":"Oslo"}}}""", ct)).Refused(422, "Invalid");

        refused.CauseFields.Should().Contain("spec.home");
        ((string?)refused.Json["message"]).Should().Contain("city cannot change");
        (await MergeAsync("a", """{"spec":{"home":{"street":"two"}}}""", ct)).Expect(200);
    }

    [Test, CancelAfter(120_000)]
    public async Task Only_spec_changes_raise_the_generation(CancellationToken ct)
    {
        var created = (await Api.PostAsync(Gauges, _custom.Json("a", more: ""","status":{"note":"mine"}"""), ct)).Expect(201);
        var labelled = (await MergeAsync("a", """{"metadata":{"labels":{"l":"1"}}}""", ct)).Expect(200);
        var status = (await Api.PatchAsync($"{Gauges}/a/status", RawApi.MergePatch, """{"status":{"note":"x"}}""", ct)).Expect(200);
        var spec = (await MergeAsync("a", """{"spec":{"size":4}}""", ct)).Expect(200);

        created.Json.ContainsKey("status").Should().BeFalse("status is written through its subresource only");
        new[] { created, labelled, status, spec }.Select(a => (long?)a.Metadata["generation"]).Should().Equal(1, 1, 1, 2);
    }

    [Test, CancelAfter(120_000)]
    public async Task The_status_endpoint_writes_nothing_but_status(CancellationToken ct)
    {
        var created = (await Api.PostAsync(Gauges, _custom.Json("a"), ct)).Expect(201);
        var body = Edit(created, o =>
        {
            o["status"] = new JsonObject { ["note"] = "seen" };
            o["spec"]!["size"] = 9;
            o["metadata"]!["labels"] = new JsonObject { ["l"] = "1" };
        });

        var updated = (await Api.PutAsync($"{Gauges}/a/status", body, ct)).Expect(200);

        ((string?)updated.Json["status"]!["note"]).Should().Be("seen");
        ((int?)updated.Json["spec"]!["size"]).Should().Be(3);
        updated.Metadata["labels"].Should().BeNull();
    }

    [Test, CancelAfter(120_000)]
    public async Task The_object_endpoint_does_not_write_status(CancellationToken ct)
    {
        (await Api.PostAsync(Gauges, _custom.Json("a"), ct)).Expect(201);
        (await Api.PatchAsync($"{Gauges}/a/status", RawApi.MergePatch, """{"status":{"note":"kept"}}""", ct)).Expect(200);

        var patched = (await MergeAsync("a", """{"spec":{"size":5},"status":{"note":"lost"}}""", ct)).Expect(200);

        ((string?)patched.Json["status"]!["note"]).Should().Be("kept");
        ((int?)patched.Json["spec"]!["size"]).Should().Be(5);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_stale_status_write_is_a_Conflict(CancellationToken ct)
    {
        var created = (await Api.PostAsync(Gauges, _custom.Json("a"), ct)).Expect(201);
        (await MergeAsync("a", """{"spec":{"size":5}}""", ct)).Expect(200);

        (await Api.PutAsync($"{Gauges}/a/status", Edit(created, o => o["status"] = new JsonObject { ["note"] = "x" }), ct)).Refused(409, "Conflict");
    }

    [Test, CancelAfter(120_000)]
    public async Task Status_can_be_applied_by_its_owner(CancellationToken ct)
    {
        (await Api.PostAsync(Gauges, _custom.Json("a"), ct)).Expect(201);
        var ready = $$$"""{"apiVersion":"{{{_custom.Group}}}/v1","kind":"Gauge","metadata":{"name":"a"},"status":{"conditions":[{"type":"Ready","status":"True"}]}}""";
        var intact = ready.Replace("Ready", "Intact", StringComparison.Ordinal);

        (await Api.PatchAsync($"{Gauges}/a/status?fieldManager=one", RawApi.ApplyPatch, ready, ct)).Expect(200);
        var both = (await Api.PatchAsync($"{Gauges}/a/status?fieldManager=two", RawApi.ApplyPatch, intact, ct)).Expect(200);
        var again = (await Api.PatchAsync($"{Gauges}/a/status?fieldManager=two", RawApi.ApplyPatch, intact, ct)).Expect(200);

        both.Json["status"]!["conditions"]!.AsArray().Select(c => (string?)c!["type"]).Should().BeEquivalentTo("Ready", "Intact");
        again.ResourceVersion.Should().Be(both.ResourceVersion);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_manager_that_owned_a_whole_object_keeps_what_it_still_applies(CancellationToken ct)
    {
        // What kubectl does when it moves from client-side to server-side apply: it rewrites the owners, containers included, and applies again.
        var created = (await Api.PostAsync(Gauges, _custom.Json("a", """{"size":3,"code":"abc"}"""), ct)).Expect(201);
        var owned = """{"manager":"one","operation":"Apply","apiVersion":"GROUP/v1","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{".":{},"f:size":{},"f:code":{},"f:mode":{}}}}"""
            .Replace("GROUP", _custom.Group, StringComparison.Ordinal);
        var move = $$"""[{"op":"replace","path":"/metadata/managedFields","value":[{{owned}}]},{"op":"replace","path":"/metadata/resourceVersion","value":"{{created.ResourceVersion}}"}]""";
        (await Api.PatchAsync($"{Gauges}/a?fieldManager=one", RawApi.JsonPatch, move, ct)).Expect(200);

        var applied = (await Api.PatchAsync($"{Gauges}/a?fieldManager=one", RawApi.ApplyPatch, _custom.Json("a"), ct)).Expect(200);

        ((int?)applied.Json["spec"]!["size"]).Should().Be(3);
        applied.Json["spec"]!["code"].Should().BeNull("it was owned and is no longer applied");
        ((string?)applied.Json["spec"]!["mode"]).Should().Be("Slow", "the default returns");
    }

    [Test, CancelAfter(120_000)]
    public async Task Scale_reads_and_writes_the_mapped_number(CancellationToken ct)
    {
        (await Api.PostAsync(Gauges, _custom.Json("a"), ct)).Expect(201);

        var scale = (await Api.GetAsync($"{Gauges}/a/scale", ct)).Expect(200);
        ((string?)scale.Json["kind"]).Should().Be("Scale");
        (await Api.PatchAsync($"{Gauges}/a/scale", RawApi.MergePatch, """{"spec":{"replicas":7}}""", ct)).Expect(200);

        ((int?)(await Api.GetAsync($"{Gauges}/a", ct)).Json["spec"]!["size"]).Should().Be(7);
    }

    [Test, CancelAfter(120_000)]
    public async Task An_update_without_resourceVersion_is_refused(CancellationToken ct)
    {
        (await Api.PostAsync(Gauges, _custom.Json("a"), ct)).Expect(201);

        (await Api.PutAsync($"{Gauges}/a", _custom.Json("a", """{"size":4}"""), ct)).Refused(422, "Invalid").CauseFields.Should().Contain("metadata.resourceVersion");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_strategic_merge_patch_is_not_offered(CancellationToken ct)
    {
        (await Api.PostAsync(Gauges, _custom.Json("a"), ct)).Expect(201);

        (await Api.PatchAsync($"{Gauges}/a", RawApi.StrategicPatch, "{}", ct)).Refused(415, "UnsupportedMediaType");
    }

    [Test, CancelAfter(120_000)]
    public async Task The_kind_is_found_by_discovery(CancellationToken ct)
    {
        JsonObject? entry = null;
        while (entry is null)
        {
            var list = await Api.GetAsync($"/apis/{_custom.Group}/v1", ct);
            entry = list.Code == 200 ? list.Json["resources"]!.AsArray().OfType<JsonObject>().FirstOrDefault(r => (string?)r["name"] == CustomResources.Plural) : null;
        }

        entry["shortNames"]!.ToJsonString().Should().Be("""["gg"]""");
        entry["categories"]!.ToJsonString().Should().Be("""["meters"]""");
        ((bool?)entry["namespaced"]).Should().BeTrue();
    }

    [Test, CancelAfter(180_000)]
    public async Task Deleting_the_CRD_deletes_its_objects(CancellationToken ct)
    {
        (await Api.PostAsync(Gauges, _custom.Json("a"), ct)).Expect(201);

        (await Api.DeleteAsync(_custom.CrdPath, ct)).Code.Should().Be(200);

        while ((await Api.GetAsync(_custom.CrdPath, ct)).Code != 404) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, ct);
        while ((await Api.GetAsync($"{Gauges}/a", ct)).Code != 404) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, ct);
    }

    private Task<RawAnswer> MergeAsync(string name, string body, CancellationToken ct) => Api.PatchAsync($"{Gauges}/{name}", RawApi.MergePatch, body, ct);
}
