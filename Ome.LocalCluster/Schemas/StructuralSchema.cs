using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;

namespace Ome.LocalCluster.Schemas;

/// <summary>The schema of one version of a kind: pruning, defaulting, validation. Immutable; safe to share between requests.</summary>
public sealed class StructuralSchema
{
    private static readonly SchemaNode Common = new(WithObjectFields([]), BuiltInSchemas.All.Find);

    private readonly SchemaNode _root;

    private StructuralSchema(JsonObject source, JsonObject root, Func<string, JsonObject?> resolve)
    {
        Source = source;
        _root = new(root, resolve);
        Merge = MergeSchema.FromOpenApi(root, resolve);
    }

    /// <summary>The <c>openAPIV3Schema</c> as written.</summary>
    public JsonObject Source { get; }

    /// <summary>How the kind's values merge.</summary>
    public MergeSchema Merge { get; }

    /// <summary>Reads a schema. One that breaks the structural rules is still returned; the CRD is to be refused with the errors.</summary>
    /// <param name="openApiV3Schema">The <c>schema.openAPIV3Schema</c> of a CRD version.</param>
    /// <param name="path">Where it stands, for the errors, e.g. <c>spec.versions[0].schema.openAPIV3Schema</c>.</param>
    /// <param name="errors">Empty when the schema is structural and can be enforced.</param>
    public static StructuralSchema Parse(JsonObject openApiV3Schema, string path, out IReadOnlyList<FieldError> errors)
    {
        errors = StructuralRules.Check(openApiV3Schema, path);
        var source = openApiV3Schema.DeepClone().AsObject();
        return new(source, WithObjectFields(source), BuiltInSchemas.All.Find);
    }

    /// <summary>The schema of a built-in kind; null when none ships.</summary>
    public static StructuralSchema? OfBuiltIn(string group, string version, string kind) =>
        BuiltInSchemas.All.Find(group, version, kind) is { } schema ? new(schema, schema, BuiltInSchemas.All.Find) : null;

    /// <summary>What a typed decoder would say of the resource: the first value of another JSON type than its field; null when all can be read.</summary>
    public string? Misfit(JsonObject resource, string kind) => TypedDecoder.Problem(resource, _root, kind);

    /// <summary>As <see cref="Misfit"/>, for a kind of which only the parts every object has are known.</summary>
    public static string? CommonMisfit(JsonObject resource, string kind) => TypedDecoder.Problem(resource, Common, kind);

    /// <summary>Removes what the schema does not know, in place.</summary>
    /// <returns>Paths of removed members, e.g. <c>spec.extra</c>, for fieldValidation Strict and Warn.</returns>
    public IReadOnlyList<string> Prune(JsonObject resource)
    {
        var removed = new List<string>();
        SchemaPruner.Prune(resource, _root, isResource: true, "", removed);
        return removed;
    }

    /// <summary>Fills missing members that have a default, in place; drops nulls where none is allowed.</summary>
    public void Default(JsonObject resource) => SchemaPruner.Default(resource, _root);

    /// <summary>Checks an object that was pruned and defaulted.</summary>
    public IReadOnlyList<FieldError> Validate(JsonObject resource)
    {
        var errors = new List<FieldError>();
        SchemaValidator.Validate(resource, _root, "", errors);
        return errors;
    }

    // What every object has, whether its CRD says so or not.
    private static JsonObject WithObjectFields(JsonObject source)
    {
        var root = source.DeepClone().AsObject();
        if (root["properties"] is not JsonObject properties) root["properties"] = properties = [];
        properties["apiVersion"] = new JsonObject { ["type"] = "string" };
        properties["kind"] = new JsonObject { ["type"] = "string" };
        properties["metadata"] = new JsonObject { ["$ref"] = BuiltInSchemas.Reference + BuiltInSchemas.ObjectMeta };
        return root;
    }
}
