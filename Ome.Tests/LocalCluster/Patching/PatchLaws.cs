using System.Text.Json.Nodes;
using CsCheck;
using Ome.LocalCluster.Patching;

namespace Ome.Tests.LocalCluster.Patching;

/// <summary>What holds for every document and every patch.</summary>
public sealed class PatchLaws
{
    private static readonly Gen<string> Name = Gen.Int[0, 3].Select(i => "abcd"[i].ToString());

    private static readonly Gen<JsonObject> Document = Objects(3, withNulls: false);

    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Test]
    public void A_merge_patch_applied_twice_is_applied_once() =>
        Gen.Select(Document, Objects(3, withNulls: true)).Sample((target, patch) =>
        {
            var once = MergePatch.Apply(target, patch);
            return JsonValues.Same(MergePatch.Apply(once, patch), once);
        });

    [Test]
    public void The_difference_of_two_documents_is_a_merge_patch_between_them() =>
        Gen.Select(Document, Document).Sample((from, to) => JsonValues.Same(MergePatch.Apply(from, Difference(from, to)), to));

    [Test]
    public void Without_merge_rules_a_strategic_patch_is_a_merge_patch() =>
        Gen.Select(Document, Objects(3, withNulls: true)).Sample((target, patch) =>
            JsonValues.Same(StrategicMergePatch.Apply(target, patch, MergeSchema.Unknown), MergePatch.Apply(target, patch)));

    [Test]
    public void Applying_the_same_configuration_twice_changes_nothing() =>
        Gen.Select(Document, Document).Sample((first, second) =>
        {
            var live = Apply(null, first, "other");
            var once = Apply(live, second, "me", force: true);
            return Apply(once, second, "me").ToJsonString() == once.ToJsonString();
        });

    [Test]
    public void What_was_applied_is_there() =>
        Gen.Select(Document, Document).Sample((first, second) =>
        {
            var live = Apply(Apply(null, first, "other"), second, "me", force: true);
            return Contains(live, second);
        });

    [Test]
    public void Managers_of_disjoint_fields_never_conflict_and_their_order_does_not_matter() =>
        Gen.Select(Document, Document).Sample((first, second) =>
        {
            var mine = new JsonObject { ["spec"] = new JsonObject { ["mine"] = first.DeepClone() } };
            var theirs = new JsonObject { ["spec"] = new JsonObject { ["theirs"] = second.DeepClone() } };
            var one = Apply(Apply(null, mine, "me"), theirs, "them");
            var other = Apply(Apply(null, theirs, "them"), mine, "me");
            return JsonValues.Same(one["spec"], other["spec"]) && Contains(one, mine) && Contains(one, theirs);
        });

    [Test]
    public void Who_withdraws_everything_leaves_only_what_others_hold() =>
        Gen.Select(Document, Document).Sample((first, second) =>
        {
            var alone = Apply(null, first, "other");
            var left = Apply(Apply(alone, second, "me", force: true), [], "me");
            return left["metadata"]?["managedFields"] is not JsonArray entries || entries.All(entry => (string)entry!["manager"]! != "me");
        });

    private static JsonObject Apply(JsonObject? live, JsonObject config, string manager, bool force = false) =>
        ServerSideApply.Apply(live, config, manager, "v1", force, null, Now, MergeSchema.Unknown);

    private static Gen<JsonObject> Objects(int depth, bool withNulls)
    {
        var leaf = Gen.OneOf<JsonNode?>(
            Gen.Int[0, 3].Select(number => (JsonNode?)JsonValue.Create(number)),
            Name.Select(text => (JsonNode?)JsonValue.Create(text)),
            Gen.Int[0, 3].Array[0, 3].Select(list => (JsonNode?)new JsonArray([.. list.Select(number => (JsonNode)number)])));
        if (withNulls) leaf = Gen.OneOf(leaf, Gen.Const((JsonNode?)null));
        var value = depth == 0 ? leaf : Gen.OneOf(leaf, Objects(depth - 1, withNulls).Select(map => (JsonNode?)map));
        return Gen.Dictionary(Name, value)[0, 4].Select(members =>
        {
            var map = new JsonObject();
            foreach (var (name, member) in members) map[name] = member?.DeepClone();
            return map;
        });
    }

    private static JsonObject Difference(JsonObject from, JsonObject to)
    {
        var patch = new JsonObject();
        foreach (var (name, _) in from.Where(member => !to.ContainsKey(member.Key))) patch[name] = null;
        foreach (var (name, value) in to)
        {
            if (from[name] is JsonObject old && value is JsonObject nested) patch[name] = Difference(old, nested);
            else if (value is JsonObject or JsonArray or JsonValue) patch[name] = value.DeepClone();
        }
        return patch;
    }

    private static bool Contains(JsonNode? whole, JsonNode? part) => part is JsonObject map
        ? whole is JsonObject other && map.All(member => other.ContainsKey(member.Key) && Contains(other[member.Key], member.Value))
        : JsonValues.Same(whole, part);
}
