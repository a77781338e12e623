using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Patching;

/// <summary>JSON merge patch (RFC 7386): objects merge, everything else replaces, null removes.</summary>
public static class MergePatch
{
    /// <summary>A new document; neither argument is changed.</summary>
    public static JsonObject Apply(JsonObject target, JsonObject patch)
    {
        var result = target.DeepClone().AsObject();
        Merge(result, patch);
        return result;
    }

    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null) target.Remove(name);
            else if (value is JsonObject nested) target[name] = Nested(target[name], nested);
            else target[name] = value.DeepClone();
        }
    }

    // A patch object that meets no object starts from an empty one, so that its nulls never reach the result.
    private static JsonObject Nested(JsonNode? current, JsonObject patch)
    {
        var result = current is JsonObject existing ? existing.DeepClone().AsObject() : [];
        Merge(result, patch);
        return result;
    }
}
