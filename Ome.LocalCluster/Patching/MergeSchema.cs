using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Patching;

/// <summary>How a list merges under server-side apply (<c>x-kubernetes-list-type</c>).</summary>
public enum ListMerge
{
    /// <summary>Replaced whole; one owner.</summary>
    Atomic,

    /// <summary>Unique scalars; each has its owners.</summary>
    Set,

    /// <summary>Objects told apart by <see cref="MergeSchema.MapKeys"/>.</summary>
    Map,
}

/// <summary>
/// How the values at one place of an object merge: what the <c>x-kubernetes-*</c> extensions of its OpenAPI schema say. The same tree serves
/// strategic merge patch (patch-strategy, patch-merge-key) and server-side apply (list-type, list-map-keys, map-type).
/// </summary>
/// <remarks>Read lazily: schemas of CRDs and of pods refer to themselves or are large.</remarks>
public sealed class MergeSchema
{
    private readonly JsonObject _schema;
    private readonly Func<string, JsonObject?> _resolve;

    private MergeSchema(JsonObject schema, Func<string, JsonObject?> resolve)
    {
        _resolve = resolve;
        // Only built-in kinds refer to types by name; there, an empty default says that the structure is no pointer.
        IsAlwaysPresent = schema["allOf"] is not null && schema["default"] is JsonObject { Count: 0 };
        _schema = Resolve(schema, resolve);
    }

    /// <summary>Nothing is known: objects merge member by member, lists are replaced whole.</summary>
    public static MergeSchema Unknown { get; } = new([], _ => null);

    /// <summary>Reads an OpenAPI schema object.</summary>
    /// <param name="schema">Schema, or a <c>$ref</c> to one.</param>
    /// <param name="resolve">Finds a schema by the last part of its <c>$ref</c>; null when absent, which reads as unknown.</param>
    public static MergeSchema FromOpenApi(JsonObject schema, Func<string, JsonObject?>? resolve = null) => new(schema, resolve ?? (_ => null));

    /// <summary>How a list at this place merges under server-side apply.</summary>
    public ListMerge ListType => Text("x-kubernetes-list-type") switch { "set" => ListMerge.Set, "map" => ListMerge.Map, _ => ListMerge.Atomic };

    /// <summary>Members that tell the items of a <see cref="ListMerge.Map"/> apart.</summary>
    public IReadOnlyList<string> MapKeys => _schema["x-kubernetes-list-map-keys"] is JsonArray keys ? [.. keys.Select(key => (string)key!)] : [];

    /// <summary>True when an object at this place is replaced whole under server-side apply.</summary>
    public bool IsAtomicMap => Text("x-kubernetes-map-type") == "atomic";

    /// <summary>True when <paramref name="name"/> is declared here, not merely allowed as an additional property.</summary>
    public bool Declares(string name) => _schema["properties"] is JsonObject properties && properties.ContainsKey(name);

    /// <summary>Strategic merge: a list here merges (by <see cref="PatchMergeKey"/>, or as a set of scalars) instead of being replaced.</summary>
    public bool PatchMerges => Strategies.Contains("merge", StringComparer.Ordinal);

    /// <summary>Strategic merge: the patch lists in <c>$retainKeys</c> all members that may stay.</summary>
    public bool PatchRetainsKeys => Strategies.Contains("retainKeys", StringComparer.Ordinal);

    /// <summary>Strategic merge: an object here is replaced whole.</summary>
    public bool PatchReplaces => Strategies.Contains("replace", StringComparer.Ordinal);

    /// <summary>Strategic merge: the member that tells items apart; null for a list of scalars.</summary>
    public string? PatchMergeKey => Text("x-kubernetes-patch-merge-key");

    /// <summary>The value a list-map key has when an item leaves it out, e.g. protocol TCP of a port; null for none.</summary>
    public JsonNode? Default => _schema["default"];

    /// <summary>A structure of a built-in kind that exists even when nobody wrote it, so that nobody owns it as such.</summary>
    public bool IsAlwaysPresent { get; }

    /// <summary>The schema of a member.</summary>
    public MergeSchema Member(string name)
    {
        if (_schema["properties"] is JsonObject properties && properties[name] is JsonObject declared) return new(declared, _resolve);
        return _schema["additionalProperties"] is JsonObject additional ? new(additional, _resolve) : Unknown;
    }

    /// <summary>The schema of a list's items.</summary>
    public MergeSchema Item => _schema["items"] is JsonObject items ? new(items, _resolve) : Unknown;

    private string[] Strategies => Text("x-kubernetes-patch-strategy")?.Split(',') ?? [];

    private string? Text(string member) => _schema[member] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    // What stands beside a $ref wins over what it refers to: merge markers sit on the field, members on the type.
    private static JsonObject Resolve(JsonObject schema, Func<string, JsonObject?> resolve)
    {
        var reference = schema["$ref"] ?? (schema["allOf"] as JsonArray)?.FirstOrDefault()?["$ref"];
        if (reference is null) return schema;
        var target = resolve(((string)reference!).Split('/')[^1]);
        if (target is null) return schema;
        if (schema.Count == 1) return target;
        var merged = target.DeepClone().AsObject();
        foreach (var (name, value) in schema)
        {
            if (name is not ("$ref" or "allOf")) merged[name] = value?.DeepClone();
        }
        return merged;
    }
}
