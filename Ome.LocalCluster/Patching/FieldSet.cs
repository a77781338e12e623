using System.Text;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Patching;

/// <summary>
/// A set of paths into an object, in the form of <c>fieldsV1</c>: a tree whose steps are <c>f:name</c>, <c>k:{"name":"x"}</c> or
/// <c>v:"x"</c>, and where <c>.</c> or an empty node marks a path that is itself a member.
/// </summary>
internal sealed class FieldSet
{
    private readonly SortedDictionary<string, FieldSet> _children = new(StringComparer.Ordinal);

    /// <summary>Whether the path up to here is a member.</summary>
    public bool IsMember { get; private set; }

    public bool IsEmpty => !IsMember && _children.Count == 0;

    public IEnumerable<KeyValuePair<string, FieldSet>> Children => _children;

    public static string Field(string name) => "f:" + name;

    public FieldSet? Child(string step) => _children.GetValueOrDefault(step);

    public void Insert(IEnumerable<string> path)
    {
        var node = this;
        foreach (var step in path) node = node.Grow(step);
        node.IsMember = true;
    }

    public FieldSet Union(FieldSet other) => Combine(this, other, (a, b) => a || b);

    public FieldSet Intersect(FieldSet other) => Combine(this, other, (a, b) => a && b);

    /// <summary>The members of this set that are not members of the other; what lies below them is judged by itself.</summary>
    public FieldSet Except(FieldSet other) => Combine(this, other, (a, b) => a && !b);

    /// <summary>Without the named top-level fields and all below them.</summary>
    public FieldSet WithoutRoots(IEnumerable<string> names)
    {
        var result = Union(new FieldSet());
        foreach (var name in names) result._children.Remove(Field(name));
        return result;
    }

    /// <summary>
    /// Adds as members all ancestors that only exist because somebody put them there: list items and map entries, but not declared fields.
    /// Removing a list item thereby counts as removing what it holds, and holding something in an item keeps the item.
    /// </summary>
    public FieldSet WithAncestors(MergeSchema schema)
    {
        var result = new FieldSet { IsMember = IsMember };
        foreach (var (step, child) in _children)
        {
            var grown = child.WithAncestors(FieldPath.Below(schema, step));
            var declared = step.StartsWith("f:", StringComparison.Ordinal) && schema.Declares(step[2..]);
            if (!declared) grown.IsMember = true;
            result._children[step] = grown;
        }
        return result;
    }

    public bool SameAs(FieldSet other) =>
        IsMember == other.IsMember && _children.Count == other._children.Count
        && _children.All(child => other._children.TryGetValue(child.Key, out var match) && child.Value.SameAs(match));

    /// <summary>All member paths in the notation of conflict messages, e.g. <c>.spec.containers[name="a"].image</c>.</summary>
    public IEnumerable<string> Paths() => Paths("");

    public JsonObject ToJson()
    {
        var result = new JsonObject();
        if (IsMember && _children.Count > 0) result["."] = new JsonObject();
        foreach (var (step, child) in _children) result[step] = child.ToJson();
        return result;
    }

    /// <summary>Reads <c>fieldsV1</c>. Steps it does not know are kept as they are: somebody else may know them.</summary>
    /// <exception cref="FormatException">A step that names a list item does not hold what it should.</exception>
    public static FieldSet FromJson(JsonObject json)
    {
        var result = ReadBelow(json);
        result.IsMember = false;
        return result;
    }

    private static FieldSet ReadBelow(JsonObject json)
    {
        var result = new FieldSet { IsMember = json.Count == 0 };
        foreach (var (step, child) in json)
        {
            if (step == ".") result.IsMember = true;
            else result._children[FieldPath.Normalize(step)] = ReadBelow(child as JsonObject ?? []);
        }
        return result;
    }

    private FieldSet Grow(string step)
    {
        if (!_children.TryGetValue(step, out var child)) _children[step] = child = new();
        return child;
    }

    private static FieldSet Combine(FieldSet? left, FieldSet? right, Func<bool, bool, bool> rule)
    {
        var result = new FieldSet { IsMember = rule(left?.IsMember ?? false, right?.IsMember ?? false) };
        var steps = (left?._children.Keys ?? Enumerable.Empty<string>()).Union(right?._children.Keys ?? Enumerable.Empty<string>(), StringComparer.Ordinal);
        foreach (var step in steps)
        {
            var child = Combine(left?.Child(step), right?.Child(step), rule);
            if (!child.IsEmpty) result._children[step] = child;
        }
        return result;
    }

    private IEnumerable<string> Paths(string prefix)
    {
        if (IsMember && prefix.Length > 0) yield return prefix;
        foreach (var (step, child) in _children)
        {
            foreach (var path in child.Paths(prefix + FieldPath.Describe(step))) yield return path;
        }
    }
}

/// <summary>The steps of a path in <see cref="FieldSet"/> form.</summary>
internal static class FieldPath
{
    /// <summary>The step to a list item, null for a list whose items have no identity.</summary>
    /// <exception cref="PatchException">An item of a map list lacks its key.</exception>
    public static string ItemStep(MergeSchema list, JsonNode? item, string where)
    {
        if (list.ListType == ListMerge.Set) return "v:" + JsonValues.Canonical(item);
        if (item is not JsonObject map) throw PatchException.Unprocessable($"{where}: element of an associative list must be an object");
        var keys = new JsonObject();
        foreach (var key in list.MapKeys)
        {
            var value = map[key] ?? list.Item.Member(key).Default;
            if (value is not null) keys[key] = value.DeepClone();
        }
        if (keys.Count == 0) throw PatchException.Unprocessable($"{where}: element: associative list with keys has an element that omits key field \"{list.MapKeys[0]}\" (and doesn't have default value)");
        return "k:" + JsonValues.Canonical(keys);
    }

    /// <summary>The schema one step further down.</summary>
    public static MergeSchema Below(MergeSchema schema, string step) =>
        step.StartsWith("f:", StringComparison.Ordinal) ? schema.Member(step[2..]) : schema.Item;

    /// <summary>Other writers may order the keys of a <c>k:</c> step differently; compare one form.</summary>
    /// <exception cref="FormatException">The step is no key or value.</exception>
    public static string Normalize(string step)
    {
        var keys = step.StartsWith("k:", StringComparison.Ordinal);
        if (!keys && !step.StartsWith("v:", StringComparison.Ordinal)) return step;
        try
        {
            var value = JsonNode.Parse(step[2..]);
            if (!keys || value is JsonObject) return step[..2] + JsonValues.Canonical(value);
        }
        catch (System.Text.Json.JsonException)
        {
            // Said below, as for a key that is no object.
        }
        throw new FormatException($"\"{step}\" names no list item");
    }

    /// <summary>As conflict messages show it: <c>.name</c>, <c>[name="a"]</c>, <c>[="x"]</c>.</summary>
    public static string Describe(string step)
    {
        if (step.StartsWith("f:", StringComparison.Ordinal)) return "." + step[2..];
        if (step.StartsWith("v:", StringComparison.Ordinal)) return "[=" + step[2..] + "]";
        if (!step.StartsWith("k:", StringComparison.Ordinal)) return "[" + step + "]";
        var text = new StringBuilder("[");
        foreach (var (name, value) in JsonNode.Parse(step[2..])!.AsObject())
            text.Append(text.Length > 1 ? "," : "").Append(name).Append('=').Append(JsonValues.Canonical(value));
        return text.Append(']').ToString();
    }
}
