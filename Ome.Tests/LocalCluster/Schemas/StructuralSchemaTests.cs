using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;
using Ome.LocalCluster.Schemas;

namespace Ome.Tests.LocalCluster.Schemas;

/// <summary>Schemas, objects and the words of refusals, recorded from a kube-apiserver.</summary>
public sealed class StructuralSchemaTests
{
    private static IEnumerable<TestCaseData> Probes => CaseFile.Rows("Schemas/probes.json");

    private static IEnumerable<TestCaseData> Definitions => CaseFile.Rows("Schemas/structural.json");

    [TestCaseSource(nameof(Probes))]
    public void Object(JsonObject row)
    {
        var schema = CaseFile.Probe();
        var resource = Resource(row["spec"]?.DeepClone());

        var unknown = schema.Prune(resource);
        schema.Default(resource);
        var errors = schema.Validate(resource);

        unknown.Should().BeEquivalentTo(Texts(row["unknown"]));
        errors.Select(error => error.ToString()).Should().BeEquivalentTo(Texts(row["errors"]));
        if (errors.Count == 0) JsonValues.Canonical(resource["spec"]).Should().Be(JsonValues.Canonical(row["want"]));
    }

    [TestCaseSource(nameof(Definitions))]
    public void Definition(JsonObject row)
    {
        StructuralSchema.Parse(row["schema"]!.AsObject(), "spec.validation.openAPIV3Schema", out var errors);

        errors.Select(error => error.ToString()).Should().BeEquivalentTo(Texts(row["errors"]));
    }

    [Test]
    public void Metadata_is_pruned_and_checked_without_being_declared()
    {
        var schema = CaseFile.Probe();
        var resource = Resource(new JsonObject { ["must"] = "x" });
        resource["metadata"] = JsonNode.Parse("""{"name":"p","labels":{"a":1},"extra":true,"creationTimestamp":null}""");

        schema.Prune(resource).Should().Equal("metadata.extra");
        schema.Default(resource);

        schema.Validate(resource).Should().ContainSingle().Which.Field.Should().Be("metadata.labels.a");
        resource["metadata"]!.AsObject().ContainsKey("creationTimestamp").Should().BeFalse();
    }

    [TestCase("", "Pod", """{"spec":{"containers":[{"name":"a","image":"i","imagge":"j","ports":[{"containerPort":80}]}],"nodeSelector":{"a":"b"}}}""", "spec.containers[0].imagge")]
    [TestCase("", "ConfigMap", """{"data":{"a":"b"},"dat":{}}""", "dat")]
    [TestCase("apps", "DaemonSet", """{"spec":{"selector":{"matchLabels":{}},"template":{"spec":{"containers":[],"tolerations":[{"kee":"x"}]}}}}""", "spec.template.spec.tolerations[0].kee")]
    public void Unknown_fields_of_built_in_kinds_are_found(string group, string kind, string json, string unknown)
    {
        var schema = StructuralSchema.OfBuiltIn(group, "v1", kind)!;
        var resource = JsonNode.Parse(json)!.AsObject();

        schema.Prune(resource).Should().Equal(unknown);
        schema.Default(resource);
        schema.Validate(resource).Should().BeEmpty();
    }

    [Test]
    public void Built_in_defaults_fill_what_list_keys_need_and_create_no_empty_structures()
    {
        var schema = StructuralSchema.OfBuiltIn("", "v1", "Pod")!;
        var pod = JsonNode.Parse("""{"spec":{"containers":[{"name":"a","ports":[{"containerPort":80}]}]}}""")!.AsObject();

        schema.Default(pod);

        pod["spec"]!["containers"]![0]!["ports"]![0]!["protocol"]!.GetValue<string>().Should().Be("TCP");
        pod.Select(member => member.Key).Should().Equal("spec");
    }

    [Test]
    public void Every_reference_between_built_in_schemas_leads_somewhere()
    {
        var dangling = BuiltInSchemas.All.Kinds.Keys
            .SelectMany(kind => OpenApiDocuments.BuildV3(Path(kind), [new(kind.Group, kind.Version, kind.Kind, kind.Kind, true, [])])!["components"]!["schemas"]!.AsObject())
            .SelectMany(schema => References(schema.Value)).Distinct().Where(name => BuiltInSchemas.All.Find(name) is null);

        dangling.Should().BeEmpty();

        static string Path((string Group, string Version, string Kind) kind) => kind.Group.Length == 0 ? $"api/{kind.Version}" : $"apis/{kind.Group}/{kind.Version}";
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(member => member.Key == "$ref" ? [member.Value!.ToString()] : References(member.Value)),
        JsonArray list => list.SelectMany(References),
        _ => [],
    };

    private static JsonObject Resource(JsonNode? spec) => new()
    {
        ["apiVersion"] = "test.ome.io/v1",
        ["kind"] = "Probe",
        ["metadata"] = new JsonObject { ["name"] = "case", ["namespace"] = "default" },
        ["spec"] = spec,
    };

    private static IEnumerable<string> Texts(JsonNode? list) => (list as JsonArray ?? []).Select(text => (string)text!);
}
