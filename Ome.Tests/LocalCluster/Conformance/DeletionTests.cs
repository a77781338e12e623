using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>Finalizers, preconditions, deletion of collections.</summary>
public sealed class DeletionTests : ConformanceTest
{
    private const string Held = ""","finalizers":["ome.io/test"]""";

    [Test, CancelAfter(120_000)]
    public async Task A_deletion_that_is_done_answers_a_Status_with_the_uid(CancellationToken ct)
    {
        var created = await CreateAsync("a", ct);

        var deleted = (await Api.DeleteAsync($"{ConfigMaps}/a", ct)).Expect(200);

        ((string?)deleted.Json["status"]).Should().Be("Success");
        ((string?)deleted.Json["details"]!["uid"]).Should().Be((string?)created.Metadata["uid"]);
        (await Api.GetAsync($"{ConfigMaps}/a", ct)).Refused(404, "NotFound");
        (await Api.DeleteAsync($"{ConfigMaps}/a", ct)).Refused(404, "NotFound");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_finalizer_holds_the_object_until_it_is_removed(CancellationToken ct)
    {
        await CreateAsync("a", ct, metadata: Held);

        var deleting = (await Api.DeleteAsync($"{ConfigMaps}/a", ct)).Expect(200);
        ((string?)deleting.Json["kind"]).Should().Be("ConfigMap");
        deleting.Metadata["deletionTimestamp"].Should().NotBeNull();
        var again = (await Api.DeleteAsync($"{ConfigMaps}/a", ct)).Expect(200);
        ((string?)again.Metadata["deletionTimestamp"]).Should().Be((string?)deleting.Metadata["deletionTimestamp"]);

        var released = (await Api.PatchAsync($"{ConfigMaps}/a", RawApi.MergePatch, """{"metadata":{"finalizers":null}}""", ct)).Expect(200);

        ((string?)released.Metadata["name"]).Should().Be("a", "the answer is the object's last version");
        (await Api.GetAsync($"{ConfigMaps}/a", ct)).Refused(404, "NotFound");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_deleting_object_takes_no_new_finalizer_and_keeps_its_deletionTimestamp(CancellationToken ct)
    {
        await CreateAsync("a", ct, metadata: Held);
        await Api.DeleteAsync($"{ConfigMaps}/a", ct);

        var added = await Api.PatchAsync($"{ConfigMaps}/a", RawApi.MergePatch, """{"metadata":{"finalizers":["ome.io/test","ome.io/more"]}}""", ct);
        var revived = await Api.PatchAsync($"{ConfigMaps}/a", RawApi.MergePatch, """{"metadata":{"deletionTimestamp":null}}""", ct);

        added.Refused(422, "Invalid").CauseFields.Should().Contain("metadata.finalizers");
        revived.Expect(200).Metadata["deletionTimestamp"].Should().NotBeNull();
    }

    [Test, CancelAfter(120_000)]
    public async Task Preconditions_guard_a_deletion(CancellationToken ct)
    {
        var created = await CreateAsync("a", ct);

        (await Api.DeleteAsync($"{ConfigMaps}/a", ct, """{"preconditions":{"uid":"11111111-1111-1111-1111-111111111111"}}""")).Refused(409, "Conflict");
        (await Api.DeleteAsync($"{ConfigMaps}/a", ct, """{"preconditions":{"resourceVersion":"1"}}""")).Refused(409, "Conflict");
        (await Api.DeleteAsync($"{ConfigMaps}/a", ct, $$$"""{"preconditions":{"uid":"{{{(string)created.Metadata["uid"]!}}}"}}""")).Expect(200);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_collection_is_deleted_by_selector(CancellationToken ct)
    {
        await CreateAsync("a", ct, metadata: ""","labels":{"g":"1"}""");
        await CreateAsync("b", ct, metadata: ""","labels":{"g":"1"}""");
        await CreateAsync("c", ct, metadata: ""","labels":{"g":"2"}""");

        (await Api.DeleteAsync($"{ConfigMaps}?labelSelector=g%3D1", ct)).Expect(200);

        Names(await Api.GetAsync($"{ConfigMaps}?labelSelector=g", ct)).Should().Equal("c");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_recreated_object_has_another_uid(CancellationToken ct)
    {
        var first = await CreateAsync("a", ct);
        await Api.DeleteAsync($"{ConfigMaps}/a", ct);

        var second = await CreateAsync("a", ct);

        ((string?)second.Metadata["uid"]).Should().NotBe((string?)first.Metadata["uid"]);
        var stale = Edit(first, o => o["metadata"]!.AsObject().Remove("resourceVersion"));
        (await Api.PutAsync($"{ConfigMaps}/a", stale, ct)).Refused(409, "Conflict");
    }
}
