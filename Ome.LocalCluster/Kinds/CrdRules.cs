using System.Text.Json;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Schemas;

namespace Ome.LocalCluster.Kinds;

/// <summary>CustomResourceDefinitions: refused when they are not what this server can serve and enforce.</summary>
public sealed class CrdRules : ObjectRules
{
    public override void PrepareForCreate(JsonObject item) => item.Remove("status");

    public override bool IsNewGeneration(JsonObject item, JsonObject? old) => old is null || !JsonValues.Same(item["spec"], old["spec"]);

    public override void Default(JsonObject item)
    {
        var spec = item.Child("spec");
        var names = spec.Child("names");
        if (names.Text("kind") is { Length: > 0 } kind)
        {
            names["singular"] ??= kind.ToLowerInvariant();
            names["listKind"] ??= kind + "List";
        }
        spec["conversion"] ??= new JsonObject { ["strategy"] = "None" };
    }

    public override IReadOnlyList<FieldError> Validate(JsonObject item, JsonObject? old)
    {
        var errors = new List<FieldError>();
        var spec = item.Child("spec");
        var names = spec.Child("names");
        var group = Require(spec, "group", "spec.group", errors);
        var plural = Require(names, "plural", "spec.names.plural", errors);
        Require(names, "kind", "spec.names.kind", errors);
        var name = item.Metadata().Text("name") ?? "";
        if (name != $"{plural}.{group}") errors.Add(FieldError.Invalid("metadata.name", $"\"{name}\"", "must be spec.names.plural+\".\"+spec.group"));
        if (Require(spec, "scope", "spec.scope", errors) is { Length: > 0 } scope && scope is not ("Cluster" or "Namespaced"))
            errors.Add(FieldError.NotSupported("spec.scope", $"\"{scope}\"", ["\"Cluster\"", "\"Namespaced\""]));
        if (spec.Map("conversion")?.Text("strategy") is { } strategy && strategy != "None")
            errors.Add(FieldError.NotSupported("spec.conversion.strategy", $"\"{strategy}\"", ["\"None\""]));
        CheckVersions(spec.List("versions"), errors);
        if (old is not null) CheckImmutable(spec, old.Child("spec"), errors);
        return errors;
    }

    public override IEnumerable<string> Warnings(JsonObject item) => (item.Child("spec").List("versions") ?? []).OfType<JsonObject>()
        .Select(version => version.Map("schema")?.Map("openAPIV3Schema")).OfType<JsonObject>()
        .SelectMany(schema => TransitionRules.Read(schema).Skipped)
        .Select(rule => $"this server does not enforce the validation rule at {rule}");

    private static string Require(JsonObject map, string member, string path, List<FieldError> errors)
    {
        var text = map.Text(member) ?? "";
        if (text.Length == 0) errors.Add(FieldError.Required(path));
        return text;
    }

    private static void CheckVersions(JsonArray? versions, List<FieldError> errors)
    {
        var stored = 0;
        for (var i = 0; i < (versions?.Count ?? 0); i++)
        {
            if (versions![i] is not JsonObject version) continue;
            var path = $"spec.versions[{i}]";
            Require(version, "name", $"{path}.name", errors);
            if (version["storage"]?.GetValueKind() == JsonValueKind.True) stored++;
            if (version.Map("schema")?.Map("openAPIV3Schema") is not { } schema)
            {
                errors.Add(FieldError.Required($"{path}.schema.openAPIV3Schema", "schemas are required"));
                continue;
            }
            if (CrdSchemaDecoder.Problem(schema, $"{path}.schema.openAPIV3Schema") is { } unreadable)
                throw ApiException.BadRequest($"CustomResourceDefinition in version \"v1\" cannot be handled as a CustomResourceDefinition: {unreadable}");
            CheckColumns(version, path, errors);
            StructuralSchema.Parse(schema, $"{path}.schema.openAPIV3Schema", out var problems);
            errors.AddRange(problems);
        }
        if (versions is null or { Count: 0 } || stored != 1)
            errors.Add(FieldError.Invalid("spec.versions", versions?.ToJsonString() ?? "null", "must have exactly one version marked as storage version"));
    }

    // What is read when objects are shown, selected and scaled has to be readable when the CRD is written.
    private static void CheckColumns(JsonObject version, string path, List<FieldError> errors)
    {
        foreach (var (column, at) in Items(version, "additionalPrinterColumns", path))
        {
            foreach (var member in new[] { "name", "type", "jsonPath" }) Require(column, member, $"{at}.{member}", errors);
            if (column.Text("jsonPath") is { Length: > 0 } text && !Tables.JsonPath.IsValid(text)) errors.Add(FieldError.Invalid($"{at}.jsonPath", $"\"{text}\"", "must be a simple json path"));
        }
        foreach (var (field, at) in Items(version, "selectableFields", path)) Require(field, "jsonPath", $"{at}.jsonPath", errors);
        if (version.Map("subresources")?.Map("scale") is not { } scale) return;
        foreach (var (member, begin) in new[] { ("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.") })
        {
            var at = $"{path}.subresources.scale.{member}";
            var text = Require(scale, member, at, errors);
            if (text.Length > 0 && !text.StartsWith(begin, StringComparison.Ordinal)) errors.Add(FieldError.Invalid(at, $"\"{text}\"", $"should be a json path under {begin.TrimEnd('.')}"));
        }
    }

    private static IEnumerable<(JsonObject Item, string Path)> Items(JsonObject map, string member, string path) =>
        (map.List(member) ?? []).Select((item, i) => (Item: item as JsonObject ?? [], Path: $"{path}.{member}[{i}]"));

    private static void CheckImmutable(JsonObject spec, JsonObject old, List<FieldError> errors)
    {
        foreach (var member in new[] { "group", "scope" })
        {
            if (spec.Text(member) != old.Text(member)) errors.Add(FieldError.Invalid($"spec.{member}", $"\"{spec.Text(member)}\"", "field is immutable"));
        }
    }
}
