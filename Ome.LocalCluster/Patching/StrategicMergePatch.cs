using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Patching;

/// <summary>Strategic merge patch, as kube-apiserver applies it to built-in kinds.</summary>
/// <remarks>
/// Objects merge, lists are replaced unless their schema says merge. Directives: <c>$patch: replace|delete|merge</c> in an object or list item,
/// <c>$retainKeys</c>, <c>$deleteFromPrimitiveList/field</c>, <c>$setElementOrder/field</c>.
/// </remarks>
public static class StrategicMergePatch
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string DeleteFromList = "$deleteFromPrimitiveList/";
    private const string ElementOrder = "$setElementOrder/";

    /// <summary>A new document; neither argument is changed.</summary>
    /// <exception cref="PatchException"><c>BadRequest</c> for a wrong <c>$retainKeys</c>, <c>InternalError</c> for an unknown directive or a list item without its merge key.</exception>
    public static JsonObject Apply(JsonObject target, JsonObject patch, MergeSchema schema) => MergeMaps(target, patch, schema);

    private static JsonObject MergeMaps(JsonObject original, JsonObject patch, MergeSchema schema)
    {
        switch (Text(patch[Directive]))
        {
            case "replace": return MergeMembers([], Without(patch, Directive), schema);
            case "delete": return [];
            case null or "merge": return MergeMembers(original.DeepClone().AsObject(), Without(patch, Directive), schema);
            case { } unknown: throw UnknownDirective(unknown);
        }
    }

    private static JsonObject MergeMembers(JsonObject result, JsonObject patch, MergeSchema schema)
    {
        Retain(result, patch);
        foreach (var (name, value) in patch.Where(member => member.Key.StartsWith(DeleteFromList, StringComparison.Ordinal)))
            DeleteValues(result, name[DeleteFromList.Length..], value);
        foreach (var (name, value) in patch)
        {
            if (name == RetainKeys || name.StartsWith(DeleteFromList, StringComparison.Ordinal) || name.StartsWith(ElementOrder, StringComparison.Ordinal)) continue;
            if (value is null) result.Remove(name);
            else result[name] = MergeValue(result[name], value, schema.Member(name), name, patch[ElementOrder + name] as JsonArray);
        }
        foreach (var (name, order) in patch)
        {
            var list = name.StartsWith(ElementOrder, StringComparison.Ordinal) ? name[ElementOrder.Length..] : null;
            if (list is not null && !patch.ContainsKey(list) && order is JsonArray wanted && result[list] is JsonArray current)
                result[list] = Ordered(current, current, wanted, schema.Member(list).PatchMergeKey);
        }
        return result;
    }

    private static JsonNode MergeValue(JsonNode? original, JsonNode patch, MergeSchema schema, string name, JsonArray? order)
    {
        switch (patch)
        {
            case JsonObject map:
                var keep = original is JsonObject && (!schema.PatchReplaces || map.ContainsKey(Directive));
                return MergeMaps(keep ? original!.AsObject() : [], map, schema);
            case JsonArray list when schema.PatchMerges:
                var before = original as JsonArray ?? [];
                return Ordered(MergeLists(before, list, schema, name), before, order ?? list, schema.PatchMergeKey);
            case JsonArray list:
                return new JsonArray([.. list.Select(item => item is JsonObject map ? MergeMaps([], map, schema.Item) : item?.DeepClone())]);
            default:
                return patch.DeepClone();
        }
    }

    private static JsonArray MergeLists(JsonArray original, JsonArray patch, MergeSchema schema, string name)
    {
        if (patch.All(item => item is JsonValue)) return Unique(original.Concat(patch));
        if (!patch.All(item => item is JsonObject)) throw PatchException.Unprocessable($"the list {name} mixes objects and other values");
        var key = schema.PatchMergeKey ?? throw PatchException.Unprocessable($"cannot merge lists without merge key for {name}");
        var plain = patch.Where(item => item is JsonObject map && Text(map[Directive]) is null or "merge").ToList();
        var result = patch.Any(item => Text(item?[Directive]) == "replace") ? [] : original.DeepClone().AsArray();
        foreach (var item in patch)
        {
            var map = item!.AsObject();
            switch (Text(map[Directive]))
            {
                case null or "merge" or "replace": break;
                case "delete": Delete(result, key, map, name); break;
                case { } unknown: throw UnknownDirective(unknown);
            }
        }
        foreach (var item in plain) MergeItem(result, key, item!.AsObject(), schema.Item, name);
        return result;
    }

    private static void MergeItem(JsonArray into, string key, JsonObject item, MergeSchema schema, string name)
    {
        var at = IndexOf(into, key, KeyOf(item, key, name));
        if (at < 0) into.Add((JsonNode)MergeMaps([], item, schema));
        else into[at] = MergeMaps(into[at]!.AsObject(), item, schema);
    }

    private static void Delete(JsonArray from, string key, JsonObject item, string name)
    {
        var at = IndexOf(from, key, KeyOf(item, key, name));
        if (at >= 0) from.RemoveAt(at);
    }

    private static JsonNode KeyOf(JsonObject item, string key, string name) =>
        item[key] ?? throw PatchException.Unprocessable($"map: {item.ToJsonString()} does not contain declared merge key: {key} (list {name})");

    private static int IndexOf(JsonArray list, string key, JsonNode value)
    {
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] is JsonObject map && map[key] is { } other && JsonValues.Same(other, value)) return i;
        }
        return -1;
    }

    private static void Retain(JsonObject result, JsonObject patch)
    {
        if (patch[RetainKeys] is not JsonArray keep) return;
        var names = keep.Select(Text).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var stray = patch.FirstOrDefault(member => member.Value is not null && !member.Key.StartsWith('$') && !names.Contains(member.Key)).Key;
        if (stray is not null) throw PatchException.BadRequest($"invalid patch format of retainKeys: the patch sets {stray}, which it does not list");
        foreach (var name in result.Select(member => member.Key).Where(name => !names.Contains(name)).ToList()) result.Remove(name);
    }

    private static void DeleteValues(JsonObject result, string name, JsonNode? values)
    {
        if (result[name] is not JsonArray list || values is not JsonArray gone) return;
        result[name] = new JsonArray([.. list.Where(item => !gone.Any(value => JsonValues.Same(item, value))).Select(item => item?.DeepClone())]);
    }

    // Items the order names come in that order. The others, which only the server knows, come before a named item they stood in front of;
    // a named item that is new has no place yet and goes first.
    private static JsonArray Ordered(JsonArray list, JsonArray before, JsonArray order, string? key)
    {
        var identities = list.Select(item => Identity(item, key)).ToList();
        var places = before.Select(item => Identity(item, key)).ToList();
        var named = order.Select(item => identities.IndexOf(Identity(item, key))).Where(index => index >= 0).Distinct().ToList();
        var others = Enumerable.Range(0, list.Count).Except(named).ToList();
        var sorted = new JsonArray();
        int n = 0, o = 0;
        while (n < named.Count || o < others.Count)
        {
            var takeNamed = o == others.Count || (n < named.Count && GoesFirst(named[n], others[o]));
            sorted.Add(list[takeNamed ? named[n++] : others[o++]]?.DeepClone());
        }
        return sorted;

        bool GoesFirst(int item, int other) =>
            places.IndexOf(identities[item]) is var place && (place < 0 || place < places.IndexOf(identities[other]));
    }

    private static PatchException UnknownDirective(string directive) => PatchException.Unprocessable($"unknown patch type: {directive}: use replace, merge or delete");

    private static string Identity(JsonNode? item, string? key) => JsonValues.Canonical(key is not null && item is JsonObject map ? map[key] : item);

    private static JsonArray Unique(IEnumerable<JsonNode?> items) => new([.. items.DistinctBy(JsonValues.Canonical, StringComparer.Ordinal).Select(item => item?.DeepClone())]);

    private static JsonObject Without(JsonObject map, string member)
    {
        if (!map.ContainsKey(member)) return map;
        var result = map.DeepClone().AsObject();
        result.Remove(member);
        return result;
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
