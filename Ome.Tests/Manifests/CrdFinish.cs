using k8s.Models;

namespace Ome.Tests.Manifests;

/// <summary>
/// What contract 1 demands of the schemas of the two OME kinds and no attribute can say, added to what the transpiler gives:
/// <list type="bullet">
/// <item>no <c>nullable</c>: OME's schemas have none, so a null is pruned, as there (C#'s <c>?</c> makes the transpiler write it);</item>
/// <item><c>spec</c> is not required at the root: OME accepts an object without one (an attribute on a member of spec makes it so);</item>
/// <item>the terms of a node selector are atomic maps: that mark belongs to the items of a list, and attributes reach the list only.</item>
/// </list>
/// For our own kind only <c>nullable</c> is taken away: an object that sends null means "not set".
/// </summary>
internal static class CrdFinish
{
    /// <summary>Changes a transpiled CRD into the one that is written.</summary>
    public static V1CustomResourceDefinition Apply(V1CustomResourceDefinition crd)
    {
        crd.Status = null;
        foreach (var version in crd.Spec.Versions)
        {
            var root = version.Schema.OpenAPIV3Schema;
            Walk(root, schema => schema.Nullable = null);
            if (!root.Properties["spec"].Properties.TryGetValue("storage", out var storage)) continue;
            root.Required = null;
            var required = storage.Properties["nodeAffinity"].Properties["requiredDuringSchedulingIgnoredDuringExecution"];
            Items(required.Properties["nodeSelectorTerms"]).XKubernetesMapType = "atomic";
        }
        return crd;
    }

    private static void Walk(V1JSONSchemaProps schema, Action<V1JSONSchemaProps> visit)
    {
        visit(schema);
        foreach (var property in schema.Properties?.Values ?? []) Walk(property, visit);
        if (schema.Items is not null) Walk(Items(schema), visit);
        if (schema.AdditionalProperties is V1JSONSchemaProps values) Walk(values, visit);
    }

    private static V1JSONSchemaProps Items(V1JSONSchemaProps list) => (V1JSONSchemaProps)list.Items;
}
