using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Patching;

/// <summary>What separates two versions of an object, as paths.</summary>
internal sealed record Comparison(FieldSet Added, FieldSet Modified, FieldSet Removed)
{
    public bool IsSame => Added.IsEmpty && Modified.IsEmpty && Removed.IsEmpty;

    public FieldSet Changed => Added.Union(Modified);
}

/// <summary>Merging, comparing and thinning out values under their <see cref="MergeSchema"/>; the algebra under server-side apply.</summary>
internal static class TypedValue
{
    /// <summary>All leaves of a value, list items and map entries as members.</summary>
    public static FieldSet FieldsOf(JsonObject value, MergeSchema schema)
    {
        var result = new FieldSet();
        Collect(value, schema, [], result);
        return result;
    }

    /// <summary>The applied value over the live one: scalars and atomic parts from the applied side, the rest of both.</summary>
    public static JsonNode? Merge(JsonNode? live, JsonNode? applied, MergeSchema schema, string where = "")
    {
        if (IsGranular(applied, schema) && live is JsonObject liveMap && applied is JsonObject appliedMap)
        {
            var result = liveMap.DeepClone().AsObject();
            foreach (var (name, value) in appliedMap)
                result[name] = liveMap.TryGetPropertyValue(name, out var old) ? Merge(old, value, schema.Member(name), $"{where}.{name}") : value?.DeepClone();
            return result;
        }
        if (IsGranular(applied, schema) && live is JsonArray liveList && applied is JsonArray appliedList) return MergeLists(liveList, appliedList, schema, where);
        return applied?.DeepClone();
    }

    public static Comparison Compare(JsonObject? before, JsonObject after, MergeSchema schema)
    {
        var result = new Comparison(new(), new(), new());
        // The object itself always exists: ownership starts one level below.
        CompareMembers(before ?? [], after, schema, [], result);
        return result;
    }

    /// <summary>Without the members of <paramref name="fields"/> and all below them.</summary>
    public static JsonObject Remove(JsonObject value, FieldSet fields, MergeSchema schema) => RemoveFromMap(value, fields, schema);

    /// <summary>Fails when a set or map list names one item twice.</summary>
    public static void CheckLists(JsonNode? value, MergeSchema schema, string where = "")
    {
        if (value is JsonObject map && !schema.IsAtomicMap)
        {
            foreach (var (name, member) in map) CheckLists(member, schema.Member(name), $"{where}.{name}");
        }
        if (value is not JsonArray list || schema.ListType == ListMerge.Atomic) return;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in list)
        {
            var step = FieldPath.ItemStep(schema, item, where);
            if (!seen.Add(step)) throw PatchException.Unprocessable($"{where}: duplicate entries for key {FieldPath.Describe(step)}");
            CheckLists(item, schema.Item, where + FieldPath.Describe(step));
        }
    }

    /// <summary>The first list item that lacks the members that tell it apart, as a path and their names; null when each can be told apart.</summary>
    public static (string Path, IReadOnlyList<string> Keys)? Unidentified(JsonNode? value, MergeSchema schema, string where = "")
    {
        if (value is JsonObject map)
        {
            foreach (var (name, member) in map)
            {
                if (Unidentified(member, schema.Member(name), where.Length == 0 ? name : $"{where}.{name}") is { } found) return found;
            }
        }
        for (var i = 0; value is JsonArray list && i < list.Count; i++)
        {
            var keyed = schema.ListType == ListMerge.Map;
            if (keyed && (list[i] is not JsonObject item || !schema.MapKeys.Any(key => (item[key] ?? schema.Item.Member(key).Default) is not null))) return ($"{where}[{i}]", schema.MapKeys);
            if (Unidentified(list[i], schema.Item, $"{where}[{i}]") is { } found) return found;
        }
        return null;
    }

    // Maps merge unless marked atomic; lists only when their type gives items an identity.
    private static bool IsGranular(JsonNode? value, MergeSchema schema) => value switch
    {
        JsonObject => !schema.IsAtomicMap,
        JsonArray => schema.ListType != ListMerge.Atomic,
        _ => false,
    };

    private static void Collect(JsonNode? value, MergeSchema schema, List<string> path, FieldSet into)
    {
        if (!IsGranular(value, schema))
        {
            into.Insert(path);
            return;
        }
        foreach (var (step, child, declared) in Steps(value!, schema))
        {
            path.Add(step);
            Collect(child, FieldPath.Below(schema, step), path, into);
            if (!declared || child is null or JsonObject { Count: 0 }) into.Insert(path);
            path.RemoveAt(path.Count - 1);
        }
    }

    private static IEnumerable<(string Step, JsonNode? Child, bool Declared)> Steps(JsonNode value, MergeSchema schema) => value is JsonObject map
        ? map.Select(member => (FieldSet.Field(member.Key), member.Value, schema.Declares(member.Key)))
        : value.AsArray().Select(item => (FieldPath.ItemStep(schema, item, ""), item, false));

    // Order: the applied items in theirs. Items only the live list has come as early as they can without passing a shared item that is still to come.
    private static JsonArray MergeLists(JsonArray live, JsonArray applied, MergeSchema schema, string where)
    {
        var liveSteps = live.Select(item => FieldPath.ItemStep(schema, item, where)).ToList();
        var appliedSteps = applied.Select(item => FieldPath.ItemStep(schema, item, where)).ToList();
        var shared = new Queue<string>(appliedSteps.Where(liveSteps.Contains));
        var result = new JsonArray();
        var next = 0;
        foreach (var (step, item) in appliedSteps.Zip(applied))
        {
            for (; next < live.Count && (shared.Count == 0 || liveSteps[next] != shared.Peek()); next++) AddLiveOnly(next);
            var at = liveSteps.IndexOf(step);
            result.Add(at < 0 ? item?.DeepClone() : Merge(live[at], item, schema.Item, where + FieldPath.Describe(step)));
            if (at < 0) continue;
            shared.Dequeue();
            if (at == next) next++;
        }
        for (; next < live.Count; next++) AddLiveOnly(next);
        return result;

        void AddLiveOnly(int index)
        {
            if (!appliedSteps.Contains(liveSteps[index], StringComparer.Ordinal)) result.Add(live[index]?.DeepClone());
        }
    }

    private static void CompareMembers(JsonNode? before, JsonNode? after, MergeSchema schema, List<string> path, Comparison into)
    {
        var old = before is null ? [] : Steps(before, schema).DistinctBy(step => step.Step, StringComparer.Ordinal).ToDictionary(step => step.Step, step => step.Child, StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (step, child, _) in after is null ? [] : Steps(after, schema))
        {
            if (!seen.Add(step)) continue;
            path.Add(step);
            Compare(old.TryGetValue(step, out var was), was, true, child, FieldPath.Below(schema, step), path, into);
            path.RemoveAt(path.Count - 1);
        }
        foreach (var (step, child) in old)
        {
            if (seen.Contains(step)) continue;
            path.Add(step);
            Compare(true, child, false, null, FieldPath.Below(schema, step), path, into);
            path.RemoveAt(path.Count - 1);
        }
    }

    private static void Compare(bool wasThere, JsonNode? before, bool isThere, JsonNode? after, MergeSchema schema, List<string> path, Comparison into)
    {
        // A structure that always exists is entered, never added; only what it holds has owners.
        if (schema.IsAlwaysPresent && (isThere ? after : before) is JsonObject)
        {
            CompareMembers(before, after, schema, path, into);
            return;
        }
        if (!wasThere) into.Added.Insert(path);
        if (!isThere) into.Removed.Insert(path);
        var granular = (!wasThere || IsGranular(before, schema)) && (!isThere || IsGranular(after, schema)) && (!wasThere || !isThere || before!.GetType() == after!.GetType());
        if (granular && Count(before) + Count(after) > 0) CompareMembers(before, after, schema, path, into);
        else if (wasThere && isThere && !JsonValues.Same(before, after)) into.Modified.Insert(path);
    }

    private static int Count(JsonNode? value) => value switch { JsonObject map => map.Count, JsonArray list => list.Count, _ => 0 };

    private static JsonObject RemoveFromMap(JsonObject map, FieldSet fields, MergeSchema schema)
    {
        var result = new JsonObject();
        foreach (var (name, value) in map)
        {
            var below = fields.Child(FieldSet.Field(name));
            if (below is { IsMember: true }) continue;
            var kept = below is null ? value?.DeepClone() : RemoveBelow(value, below, schema.Member(name));
            // A container that the removal emptied goes with its last item.
            if (Count(kept) > 0 || Count(value) == 0) result[name] = kept;
        }
        return result;
    }

    private static JsonNode? RemoveBelow(JsonNode? value, FieldSet fields, MergeSchema schema)
    {
        if (!IsGranular(value, schema)) return value?.DeepClone();
        if (value is JsonObject map) return RemoveFromMap(map, fields, schema);
        var result = new JsonArray();
        foreach (var item in value!.AsArray())
        {
            var below = fields.Child(FieldPath.ItemStep(schema, item, ""));
            if (below is { IsMember: true }) continue;
            result.Add(below is null ? item?.DeepClone() : RemoveBelow(item, below, schema.Item));
        }
        return result;
    }
}
