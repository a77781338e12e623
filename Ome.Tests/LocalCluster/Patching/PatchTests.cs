using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;
using Ome.LocalCluster.Schemas;

namespace Ome.Tests.LocalCluster.Patching;

/// <summary>The three patch types, by tables. Wants of the strategic ones were recorded from a kube-apiserver.</summary>
public sealed class PatchTests
{
    private static IEnumerable<TestCaseData> JsonPatches => CaseFile.Rows("Patching/json-patch.json");

    private static IEnumerable<TestCaseData> MergePatches => CaseFile.Rows("Patching/merge-patch.json");

    private static IEnumerable<TestCaseData> StrategicPatches => CaseFile.Rows("Patching/strategic-merge.json");

    [TestCaseSource(nameof(JsonPatches))]
    public void Json_patch(JsonObject row) => Check(row, () => JsonPatch.Apply(row["target"]!, row["patch"]!.AsArray()));

    [TestCaseSource(nameof(MergePatches))]
    public void Merge_patch(JsonObject row) => Check(row, () => MergePatch.Apply(row["target"]!.AsObject(), row["patch"]!.AsObject()));

    [TestCaseSource(nameof(StrategicPatches))]
    public void Strategic_merge_patch(JsonObject row)
    {
        var kind = (string)row["kind"]!;
        var schema = OpenApiDocuments.MergeSchemaOf(kind == "Deployment" ? "apps" : "", "v1", kind);
        schema.Should().NotBeSameAs(MergeSchema.Unknown);
        Check(row, () =>
        {
            var result = StrategicMergePatch.Apply(row["target"]!.AsObject(), row["patch"]!.AsObject(), schema);
            // A typed object, from which the wants were recorded, drops what is empty.
            foreach (var empty in result.Where(member => member.Value is JsonObject { Count: 0 }).Select(member => member.Key).ToList()) result.Remove(empty);
            return result;
        });
    }

    [Test]
    public void A_patch_of_ten_thousand_and_one_steps_is_refused()
    {
        var patch = new JsonArray([.. Enumerable.Range(0, 10_001).Select(_ => new JsonObject { ["op"] = "test", ["path"] = "", ["value"] = new JsonObject() })]);

        var act = () => JsonPatch.Apply(new JsonObject(), patch);

        act.Should().Throw<PatchException>().Which.Message.Should().Contain("10000").And.Contain("10001");
    }

    private static void Check(JsonObject row, Func<JsonNode> apply)
    {
        var before = row.ToJsonString();
        if (row["error"] is { } error)
        {
            var refused = apply.Should().Throw<PatchException>().Which;
            refused.Code.Should().Be((int)error["code"]!);
            refused.Message.Should().Contain((string)error["message"]!);
        }
        else
        {
            JsonValues.Canonical(apply()).Should().Be(JsonValues.Canonical(row["want"]));
        }
        row.ToJsonString().Should().Be(before, "a patch changes neither its target nor itself");
    }
}
