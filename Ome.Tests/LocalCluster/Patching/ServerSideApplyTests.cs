using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;
using Ome.LocalCluster.Schemas;

namespace Ome.Tests.LocalCluster.Patching;

/// <summary>Stories of several writers. Objects, owners and refusals were recorded from a kube-apiserver.</summary>
public sealed class ServerSideApplyTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static IEnumerable<TestCaseData> Stories => CaseFile.Rows("Patching/server-side-apply.json");

    [TestCaseSource(nameof(Stories))]
    public void Story(JsonObject row)
    {
        var kind = (string)row["kind"]!;
        var schema = kind == "Probe" ? CaseFile.Probe() : null;
        JsonObject? live = null;
        var now = Start;
        foreach (var step in row["steps"]!.AsArray())
        {
            now += TimeSpan.FromSeconds(1);
            if (step!["error"] is { } error)
            {
                ShouldRefuse(error, () => Run(step, kind, live, schema, now));
                continue;
            }
            live = Run(step, kind, live, schema, now);
            JsonValues.Canonical(Bare(live)).Should().Be(JsonValues.Canonical(step["want"]));
            JsonValues.Canonical(Owners(live)).Should().Be(JsonValues.Canonical(step["owners"]));
        }
    }

    [Test]
    public void Times_move_only_with_a_change()
    {
        var config = Full("ConfigMap", new JsonObject { ["data"] = new JsonObject { ["k"] = "v" } });
        var first = ServerSideApply.Apply(null, config, "a", "v1", false, null, Start, MergeSchema.Unknown);

        var again = ServerSideApply.Apply(first, config, "a", "v1", false, null, Start.AddHours(1), MergeSchema.Unknown);

        again.ToJsonString().Should().Be(first.ToJsonString());
        first["metadata"]!["managedFields"]![0]!["time"]!.GetValue<string>().Should().Be("2026-01-02T03:04:05Z");
    }

    [Test]
    public void An_update_entry_turned_into_an_apply_entry_removes_leaves_and_no_structure()
    {
        var schema = CaseFile.Probe().Merge;
        var config = Full("Probe", new JsonObject { ["spec"] = new JsonObject { ["must"] = "x" } });
        var created = Full("Probe", new JsonObject { ["spec"] = new JsonObject { ["must"] = "x", ["word"] = "abc", ["map"] = new JsonObject { ["a"] = "b" } } });
        var live = ServerSideApply.TrackUpdate(null, created, "kubectl", "test.ome.io/v1", null, Start, schema);
        live["metadata"]!["managedFields"]![0]!["operation"] = "Apply";

        var applied = ServerSideApply.Apply(live, config, "kubectl", "test.ome.io/v1", false, null, Start, schema);

        applied["spec"]!.ToJsonString().Should().Be("""{"must":"x"}""");
    }

    [Test]
    public void A_configuration_must_not_bring_managed_fields()
    {
        var config = Full("ConfigMap", []);
        config["metadata"]!["managedFields"] = new JsonArray();

        var act = () => ServerSideApply.Apply(null, config, "a", "v1", false, null, Start, MergeSchema.Unknown);

        act.Should().Throw<PatchException>().Where(refused => refused.Code == 400 && refused.Message == "metadata.managedFields must be nil");
    }

    [Test]
    public void An_update_that_empties_managed_fields_resets_the_ownership()
    {
        var live = ServerSideApply.Apply(null, Full("ConfigMap", new JsonObject { ["data"] = new JsonObject { ["k"] = "v" } }), "a", "v1", false, null, Start, MergeSchema.Unknown);
        var updated = live.DeepClone().AsObject();
        updated["metadata"]!["managedFields"] = new JsonArray(new JsonObject());

        ServerSideApply.TrackUpdate(live, updated, "b", "v1", null, Start, MergeSchema.Unknown);

        updated["metadata"]!.AsObject().ContainsKey("managedFields").Should().BeFalse();
    }

    [Test]
    public void Updaters_beyond_ten_fold_into_one_entry()
    {
        var live = Full("ConfigMap", []);
        for (var i = 0; i < 25; i++)
        {
            var updated = MergePatch.Apply(live, new JsonObject { ["data"] = new JsonObject { [$"k{i}"] = "v" } });
            live = ServerSideApply.TrackUpdate(live, updated, $"writer-{i}", "v1", null, Start.AddMinutes(i), MergeSchema.Unknown);
        }

        var entries = live["metadata"]!["managedFields"]!.AsArray();

        entries.Should().HaveCount(10);
        entries.Should().ContainSingle(entry => (string)entry!["manager"]! == "ancient-changes")
            .Which!["fieldsV1"]!["f:data"]!.AsObject().Count.Should().Be(17, "16 keys and the map itself");
    }

    private static JsonObject Run(JsonNode step, string kind, JsonObject? live, StructuralSchema? schema, DateTimeOffset now)
    {
        var manager = (string)step["manager"]!;
        var subresource = (string?)step["subresource"];
        var merge = schema?.Merge ?? OpenApiDocuments.MergeSchemaOf("", "v1", kind);
        var version = schema is null ? "v1" : "test.ome.io/v1";
        if (step["apply"] is JsonObject config)
        {
            var ignored = schema is null ? Array.Empty<string>() : subresource is null ? ["status"] : ["spec"];
            var applied = ServerSideApply.Apply(live, Full(kind, config), manager, version, (bool?)step["force"] ?? false, subresource, now, merge, ignored);
            schema?.Default(applied);
            return applied;
        }
        var updated = step["create"] is JsonObject created ? Full(kind, created) : MergePatch.Apply(live!, step["merge"]!.AsObject());
        schema?.Default(updated);
        return ServerSideApply.TrackUpdate(live, updated, manager, version, subresource, now, merge);
    }

    private static void ShouldRefuse(JsonNode error, Func<JsonObject> run)
    {
        // A 422 is the validator's word, which comes after the apply.
        if ((int)error["code"]! == 422) return;
        var refused = run.Should().Throw<PatchException>().Which;
        refused.Code.Should().Be((int)error["code"]!);
        refused.Message.Should().Be((string)error["message"]!);
        refused.Causes.Select(cause => (cause.Reason, cause.Message, cause.Field)).Should().Equal(
            (error["causes"] as JsonArray ?? []).Select(cause => ((string)cause!["reason"]!, (string)cause["message"]!, (string)cause["field"]!)));
    }

    private static JsonObject Full(string kind, JsonObject config)
    {
        var full = config.DeepClone().AsObject();
        full["apiVersion"] = kind == "Probe" ? "test.ome.io/v1" : "v1";
        full["kind"] = kind;
        if (full["metadata"] is not JsonObject metadata) full["metadata"] = metadata = [];
        metadata["name"] = "case";
        metadata["namespace"] = "default";
        return full;
    }

    private static JsonObject Bare(JsonObject live)
    {
        var bare = live.DeepClone().AsObject();
        var metadata = bare["metadata"]!.AsObject();
        foreach (var name in new[] { "name", "namespace", "managedFields" }) metadata.Remove(name);
        if (metadata.Count == 0) bare.Remove("metadata");
        bare.Remove("apiVersion");
        bare.Remove("kind");
        // A typed object drops what is empty.
        foreach (var name in bare.Where(member => member.Value is JsonObject { Count: 0 }).Select(member => member.Key).ToList()) bare.Remove(name);
        return bare;
    }

    private static JsonObject Owners(JsonObject live)
    {
        var owners = new JsonObject();
        foreach (var entry in live["metadata"]!["managedFields"]?.AsArray() ?? [])
        {
            var words = new[] { "manager", "operation", "subresource" }.Select(member => (string?)entry![member]).Where(word => word is not null);
            owners[string.Join(' ', words)] = entry!["fieldsV1"]!.DeepClone();
        }
        return owners;
    }
}
