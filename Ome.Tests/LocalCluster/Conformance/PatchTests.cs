using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>JSON patch, merge patch, strategic merge patch; server-side apply is in <see cref="ServerSideApplyTests"/>.</summary>
public sealed class PatchTests : ConformanceTest
{
    [Test, CancelAfter(120_000)]
    public async Task A_merge_patch_changes_only_what_it_names_and_null_removes(CancellationToken ct)
    {
        await CreateAsync("a", ct, metadata: ""","labels":{"keep":"1","drop":"1"}""");

        var patched = (await PatchAsync(RawApi.MergePatch, """{"metadata":{"labels":{"drop":null,"new":"2"}},"data":{"other":"x"}}""", ct)).Expect(200);

        patched.Metadata["labels"]!.ToJsonString().Should().Be("""{"keep":"1","new":"2"}""");
        patched.Json["data"]!.AsObject().Select(m => m.Key).Should().BeEquivalentTo("k", "other");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_json_patch_applies_all_operations_or_none(CancellationToken ct)
    {
        await CreateAsync("a", ct);

        var good = await PatchAsync(RawApi.JsonPatch, """[{"op":"test","path":"/data/k","value":"1"},{"op":"replace","path":"/data/k","value":"2"},{"op":"add","path":"/data/n","value":"3"}]""", ct);
        var bad = await PatchAsync(RawApi.JsonPatch, """[{"op":"replace","path":"/data/k","value":"9"},{"op":"remove","path":"/data/none"}]""", ct);
        var failedTest = await PatchAsync(RawApi.JsonPatch, """[{"op":"test","path":"/data/k","value":"1"},{"op":"remove","path":"/data/k"}]""", ct);

        good.Expect(200).Json["data"]!.ToJsonString().Should().Be("""{"k":"2","n":"3"}""");
        bad.Refused(422, "Invalid");
        failedTest.Refused(422, "Invalid");
        ((string?)(await Api.GetAsync($"{ConfigMaps}/a", ct)).Json["data"]!["k"]).Should().Be("2");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_json_patch_key_may_hold_an_escaped_slash(CancellationToken ct)
    {
        await CreateAsync("a", ct, metadata: ""","labels":{"models.ome.io/x":"Ready"}""");

        var patched = await PatchAsync(RawApi.JsonPatch, """[{"op":"remove","path":"/metadata/labels/models.ome.io~1x"}]""", ct);

        patched.Expect(200).Metadata["labels"].Should().BeNull();
    }

    [TestCase(RawApi.JsonPatch, "{}")]
    [TestCase(RawApi.MergePatch, "[]")]
    [TestCase(RawApi.MergePatch, "{")]
    [CancelAfter(120_000)]
    public async Task A_malformed_patch_is_BadRequest(string type, string body, CancellationToken ct)
    {
        await CreateAsync("a", ct);

        (await PatchAsync(type, body, ct)).Refused(400, "BadRequest");
    }

    [TestCase(RawApi.MergePatch, "{\"metadata\":{\"resourceVersion\":\"1\"},\"data\":{\"k\":\"2\"}}")]
    [TestCase(RawApi.JsonPatch, "[{\"op\":\"replace\",\"path\":\"/metadata/resourceVersion\",\"value\":\"1\"},{\"op\":\"add\",\"path\":\"/data/k\",\"value\":\"2\"}]")]
    [CancelAfter(120_000)]
    public async Task A_patch_that_names_an_old_version_is_a_Conflict(string type, string body, CancellationToken ct)
    {
        await CreateAsync("a", ct);

        (await PatchAsync(type, body, ct)).Refused(409, "Conflict");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_patch_of_a_missing_object_is_NotFound(CancellationToken ct) =>
        (await PatchAsync(RawApi.MergePatch, "{}", ct)).Refused(404, "NotFound");

    [Test, CancelAfter(120_000)]
    public async Task A_patch_that_makes_the_object_invalid_is_refused(CancellationToken ct)
    {
        await CreateAsync("a", ct);

        (await PatchAsync(RawApi.MergePatch, """{"metadata":{"labels":{"k":"not a value"}}}""", ct)).Refused(422, "Invalid");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_strategic_merge_patch_merges_lists_by_their_key(CancellationToken ct)
    {
        var path = $"/apis/apps/v1/namespaces/{Namespace}/deployments";
        (await Api.PostAsync(path, Deployments.Json("d"), ct)).Expect(201);

        var patched = (await Api.PatchAsync($"{path}/d", RawApi.StrategicPatch,
            """{"spec":{"template":{"spec":{"containers":[{"name":"second","image":"b:1"},{"name":"main","image":"a:2"}]}}}}""", ct)).Expect(200);

        var containers = patched.Json["spec"]!["template"]!["spec"]!["containers"]!.AsArray();
        containers.Select(c => ((string?)c!["name"], (string?)c["image"])).Should().BeEquivalentTo([("main", "a:2"), ("second", "b:1")]);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_strategic_merge_patch_merges_finalizers_and_deletes_with_a_directive(CancellationToken ct)
    {
        await CreateAsync("a", ct, metadata: ""","finalizers":["ome.io/one"]""");

        var added = (await PatchAsync(RawApi.StrategicPatch, """{"metadata":{"finalizers":["ome.io/two"]}}""", ct)).Expect(200);
        var removed = (await PatchAsync(RawApi.StrategicPatch, """{"metadata":{"$deleteFromPrimitiveList/finalizers":["ome.io/one"]}}""", ct)).Expect(200);

        added.Metadata["finalizers"]!.AsArray().Should().HaveCount(2);
        removed.Metadata["finalizers"]!.ToJsonString().Should().Be("""["ome.io/two"]""");
    }

    private Task<RawAnswer> PatchAsync(string type, string body, CancellationToken ct) => Api.PatchAsync($"{ConfigMaps}/a", type, body, ct);
}
