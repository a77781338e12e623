using System.Text.Json.Nodes;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>Server-side apply: fields have owners, and owners don't overwrite each other by accident.</summary>
public sealed class ServerSideApplyTests : ConformanceTest
{
    [Test, CancelAfter(120_000)]
    public async Task Apply_creates_then_changes_then_does_nothing(CancellationToken ct)
    {
        var created = (await ApplyAsync("one", """{"k":"1"}""", ct)).Expect(201);
        var changed = (await ApplyAsync("one", """{"k":"2"}""", ct)).Expect(200);
        var again = (await ApplyAsync("one", """{"k":"2"}""", ct)).Expect(200);

        changed.ResourceVersion.Should().NotBe(created.ResourceVersion);
        again.ResourceVersion.Should().Be(changed.ResourceVersion, "a quiet system writes nothing");
        var owner = changed.Metadata["managedFields"]!.AsArray().Single()!;
        ((string?)owner["manager"]).Should().Be("one");
        ((string?)owner["operation"]).Should().Be("Apply");
        owner["fieldsV1"]!["f:data"]!["f:k"].Should().NotBeNull();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_field_of_another_manager_is_a_Conflict_that_names_it(CancellationToken ct)
    {
        (await ApplyAsync("one", """{"k":"1"}""", ct)).Expect(201);

        var refused = (await ApplyAsync("two", """{"k":"2"}""", ct)).Refused(409, "Conflict");

        refused.CauseFields.Should().Equal(".data.k");
        ((string?)refused.Json["details"]!["causes"]![0]!["reason"]).Should().Be("FieldManagerConflict");
        ((string?)refused.Json["details"]!["causes"]![0]!["message"]).Should().Contain("\"one\"");
    }

    [Test, CancelAfter(120_000)]
    public async Task Force_takes_the_field_over(CancellationToken ct)
    {
        (await ApplyAsync("one", """{"k":"1","mine":"x"}""", ct)).Expect(201);

        var forced = (await ApplyAsync("two", """{"k":"2"}""", ct, "&force=true")).Expect(200);

        ((string?)forced.Json["data"]!["k"]).Should().Be("2");
        Owners(forced, "k").Should().Equal("two");
        Owners(forced, "mine").Should().Equal("one");
    }

    [Test, CancelAfter(120_000)]
    public async Task Two_managers_may_agree_on_a_value(CancellationToken ct)
    {
        (await ApplyAsync("one", """{"k":"1"}""", ct)).Expect(201);

        var shared = (await ApplyAsync("two", """{"k":"1"}""", ct)).Expect(200);

        Owners(shared, "k").Should().BeEquivalentTo("one", "two");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_field_left_out_is_removed_when_nobody_else_owns_it(CancellationToken ct)
    {
        (await ApplyAsync("one", """{"a":"1","b":"1"}""", ct)).Expect(201);
        (await ApplyAsync("two", """{"b":"1"}""", ct)).Expect(200);

        var applied = (await ApplyAsync("one", """{"c":"1"}""", ct)).Expect(200);

        applied.Json["data"]!.AsObject().Select(m => m.Key).Should().BeEquivalentTo(["b", "c"], "a had no other owner, b has");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_plain_update_takes_ownership_too(CancellationToken ct)
    {
        (await ApplyAsync("one", """{"k":"1"}""", ct)).Expect(201);
        (await Api.PatchAsync($"{ConfigMaps}/a?fieldManager=editor", RawApi.MergePatch, """{"data":{"k":"2"}}""", ct)).Expect(200);

        (await ApplyAsync("one", """{"k":"1"}""", ct)).Refused(409, "Conflict");
        var owned = await Api.GetAsync($"{ConfigMaps}/a", ct);
        Owners(owned, "k").Should().Equal("editor");
    }

    [Test, CancelAfter(120_000)]
    public async Task Apply_needs_a_field_manager_and_no_managedFields(CancellationToken ct)
    {
        var anonymous = await Api.PatchAsync($"{ConfigMaps}/a", RawApi.ApplyPatch, Config("{}"), ct);
        var withFields = await Api.PatchAsync($"{ConfigMaps}/a?fieldManager=one", RawApi.ApplyPatch, Config("{}").Replace("\"name\":", "\"managedFields\":[{}],\"name\":", StringComparison.Ordinal), ct);

        anonymous.Code.Should().Be(422);
        withFields.Refused(400, "BadRequest");
    }

    [Test, CancelAfter(120_000)]
    public async Task Apply_takes_yaml(CancellationToken ct)
    {
        const string Yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: yaml\n";

        var applied = (await Api.PatchAsync($"{ConfigMaps}/a?fieldManager=one", RawApi.ApplyPatch, Yaml, ct)).Expect(201);

        ((string?)applied.Json["data"]!["k"]).Should().Be("yaml");
    }

    [Test, CancelAfter(120_000)]
    public async Task Applied_lists_of_keyed_items_are_owned_item_by_item(CancellationToken ct)
    {
        var path = $"/apis/apps/v1/namespaces/{Namespace}/deployments/d";
        (await Api.PatchAsync($"{path}?fieldManager=one", RawApi.ApplyPatch, Deployments.Json("d"), ct)).Expect(201);
        var sidecar = """{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"template":{"spec":{"containers":[{"name":"side","image":"s:1"}]}}}}""";

        var both = (await Api.PatchAsync($"{path}?fieldManager=two", RawApi.ApplyPatch, sidecar, ct)).Expect(200);

        both.Json["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Select(c => (string?)c!["name"]).Should().Equal("main", "side");
    }

    private static string Config(string data) => $$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{{data}}}""";

    private Task<RawAnswer> ApplyAsync(string manager, string data, CancellationToken ct, string more = "") =>
        Api.PatchAsync($"{ConfigMaps}/a?fieldManager={manager}{more}", RawApi.ApplyPatch, Config(data), ct);

    private static IEnumerable<string> Owners(RawAnswer answer, string key) => answer.Metadata["managedFields"]!.AsArray()
        .Where(m => (m!["fieldsV1"]?["f:data"] as JsonObject)?.ContainsKey($"f:{key}") == true).Select(m => (string)m!["manager"]!);
}
