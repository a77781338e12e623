using k8s.Models;
using Ome.Shared.Api;
using Ome.Tests.Support;

namespace Ome.Tests.Manifests;

/// <summary>
/// Contract 1 as a table, written by hand and not rewritten by <c>make manifests</c>: each field of OME's schema with its type and marks, one a line,
/// against the schema our classes give. What we add to the status is listed apart.
/// </summary>
public sealed class CrdShapeTests
{
    [TestCase(typeof(BaseModel), "Namespaced")]
    [TestCase(typeof(ClusterBaseModel), "Cluster")]
    public void The_schema_is_OMEs_field_for_field_and_marker_for_marker_plus_our_status(Type entity, string scope)
    {
        var crd = CrdFinish.Apply(Transpiled.Crds(entity)[0]);

        crd.Spec.Scope.Should().Be(scope);
        crd.Spec.Names.Should().BeEquivalentTo(new { Kind = entity.Name, ListKind = entity.Name + "List", Plural = entity.Name.ToLowerInvariant() + "s", Singular = entity.Name.ToLowerInvariant() });
        crd.Spec.Names.ShortNames.Should().BeNull();
        var version = crd.Spec.Versions.Should().ContainSingle().Subject;
        (version.Name, version.Served, version.Storage).Should().Be(("v1beta1", true, true));
        version.Subresources.Status.Should().NotBeNull();

        var shape = Lines("", version.Schema.OpenAPIV3Schema).ToHashSet(StringComparer.Ordinal);
        var contract = Table("ome-v1beta1.txt");
        var additions = Table("our-status.txt");
        contract.Except(shape).Should().BeEmpty("each of these is in the contract and not in our schema");
        shape.Except(contract).Except(additions).Should().BeEmpty("each of these is in our schema and not in the contract");
        additions.Except(shape).Should().BeEmpty();
        additions.Should().OnlyContain(line => line.StartsWith("status.", StringComparison.Ordinal));
        additions.Where(line => !line.Contains("[].", StringComparison.Ordinal)).Should().NotContain(line => line.Contains("required", StringComparison.Ordinal));
    }

    private static IReadOnlySet<string> Table(string file) => Golden.ReadFile(Path.Combine("Ome.Tests", "Cases", "crd-shape", file))
        .Split('\n').Where(line => line.Length > 0 && line[0] != '#').ToHashSet(StringComparer.Ordinal);

    /// <summary>One line per field: path, type, and every mark that changes what is accepted or how it is merged.</summary>
    private static IEnumerable<string> Lines(string path, V1JSONSchemaProps schema)
    {
        foreach (var (name, field) in schema.Properties ?? new Dictionary<string, V1JSONSchemaProps>())
        {
            var at = path.Length == 0 ? name : $"{path}.{name}";
            yield return string.Join(' ', new[] { at }.Concat(Marks(field, schema.Required?.Contains(name) == true)));
            foreach (var line in Inner(at, field)) yield return line;
        }
    }

    private static IEnumerable<string> Inner(string at, V1JSONSchemaProps field)
    {
        if (field.Items is V1JSONSchemaProps items)
        {
            yield return string.Join(' ', new[] { at + "[]" }.Concat(Marks(items, required: false)));
            foreach (var line in Lines(at + "[]", items).Concat(Inner(at + "[]", items))) yield return line;
        }
        if (field.AdditionalProperties is V1JSONSchemaProps values)
        {
            yield return string.Join(' ', new[] { at + "{}" }.Concat(Marks(values, required: false)));
            foreach (var line in Lines(at + "{}", values)) yield return line;
        }
        foreach (var line in Lines(at, field)) yield return line;
    }

    private static IEnumerable<string> Marks(V1JSONSchemaProps field, bool required)
    {
        yield return field.Type;
        if (field.Format is not null) yield return field.Format;
        if (required) yield return "required";
        if (field.DefaultProperty is not null) yield return $"default={field.DefaultProperty}";
        if (field.EnumProperty is not null) yield return $"enum={string.Join(',', field.EnumProperty)}";
        if (field.XKubernetesListType is not null) yield return $"list={field.XKubernetesListType}";
        if (field.XKubernetesListMapKeys is not null) yield return $"keys={string.Join(',', field.XKubernetesListMapKeys)}";
        if (field.XKubernetesMapType is not null) yield return $"map={field.XKubernetesMapType}";
        if (field.XKubernetesPreserveUnknownFields == true) yield return "preserve-unknown";
        if (field.Nullable == true) yield return "nullable";
        if (field.Pattern is not null) yield return $"pattern={field.Pattern}";
        if (field.MinLength is not null || field.MaxLength is not null) yield return $"length={field.MinLength}..{field.MaxLength}";
        if (field.Minimum is not null || field.Maximum is not null) yield return $"range={field.Minimum}..{field.Maximum}";
        if (field.MinItems is not null || field.MaxItems is not null) yield return $"items={field.MinItems}..{field.MaxItems}";
        if (field.XKubernetesValidations is not null) yield return "cel";
    }
}
