using System.Text.Json.Nodes;
using Ome.LocalCluster.Schemas;

namespace Ome.Tests.LocalCluster.Schemas;

/// <summary>What kubectl looks for in the OpenAPI documents. That kubectl itself is content is tested against the running server.</summary>
public sealed class OpenApiDocumentsTests
{
    private static readonly OpenApiKind[] Kinds =
    [
        new("", "v1", "ConfigMap", "configmaps", true, []),
        new("", "v1", "Namespace", "namespaces", false, ["status"]),
        new("apps", "v1", "Deployment", "deployments", true, ["status", "scale"]),
        new("test.ome.io", "v1", "Probe", "probes", true, ["status"], CaseFile.Probe()),
    ];

    [Test]
    public void The_index_names_each_group_version_once()
    {
        var paths = OpenApiDocuments.BuildV3Index(Kinds)["paths"]!.AsObject();

        paths.Select(path => path.Key).Should().Equal("api/v1", "apis/apps/v1", "apis/test.ome.io/v1");
        paths["apis/apps/v1"]!["serverRelativeURL"]!.GetValue<string>().Should().MatchRegex("^/openapi/v3/apis/apps/v1\\?hash=[0-9A-F]{64}$");
        OpenApiDocuments.BuildV3Index(Kinds).ToJsonString().Should().Be(OpenApiDocuments.BuildV3Index(Kinds).ToJsonString());
    }

    [Test]
    public void A_group_version_nobody_serves_has_no_document() => OpenApiDocuments.BuildV3("apis/none/v1", Kinds).Should().BeNull();

    [TestCase("api/v1", "/api/v1/namespaces/{name}", true)]
    [TestCase("api/v1", "/api/v1/namespaces/{namespace}/configmaps/{name}", true)]
    [TestCase("apis/test.ome.io/v1", "/apis/test.ome.io/v1/namespaces/{namespace}/probes/{name}", false)]
    [TestCase("apis/test.ome.io/v1", "/apis/test.ome.io/v1/namespaces/{namespace}/probes/{name}/status", false)]
    public void A_patch_says_its_kind_its_parameters_and_its_types(string document, string path, bool strategic)
    {
        var patch = OpenApiDocuments.BuildV3(document, Kinds)!["paths"]![path]!["patch"]!;

        patch["x-kubernetes-group-version-kind"]!["kind"]!.GetValue<string>().Should().BeOneOf("Namespace", "ConfigMap", "Probe");
        patch["parameters"]!.AsArray().Select(parameter => (string)parameter!["name"]!).Should().Contain(["dryRun", "fieldManager", "fieldValidation", "force"]);
        patch["requestBody"]!["content"]!.AsObject().ContainsKey("application/strategic-merge-patch+json").Should().Be(strategic);
        patch["requestBody"]!["content"]!.AsObject().ContainsKey("application/apply-patch+yaml").Should().BeTrue();
    }

    [Test]
    public void A_custom_resource_is_published_with_what_every_object_has()
    {
        var schema = OpenApiDocuments.BuildV3("apis/test.ome.io/v1", Kinds)!["components"]!["schemas"]!.AsObject();

        var probe = schema["io.ome.test.v1.Probe"]!;
        probe["properties"]!.AsObject().Select(property => property.Key).Should().Contain(["apiVersion", "kind", "metadata", "spec", "status"]);
        probe["x-kubernetes-group-version-kind"]!.AsArray().Should().ContainSingle().Which!["group"]!.GetValue<string>().Should().Be("test.ome.io");
        schema.ContainsKey(BuiltInSchemas.ObjectMeta).Should().BeTrue("it is referred to");
    }

    [Test]
    public void Version_2_refers_into_definitions_and_holds_nothing_newer()
    {
        var document = OpenApiDocuments.BuildV2(Kinds);
        var text = document.ToJsonString();

        text.Should().NotContain("#/components").And.NotContain("\"oneOf\"").And.NotContain("\"nullable\"");
        document["definitions"]!["io.k8s.api.apps.v1.Deployment"]!["properties"]!["spec"]!["$ref"]!.GetValue<string>().Should().Be("#/definitions/io.k8s.api.apps.v1.DeploymentSpec");
    }

    [Test]
    public void Container_lists_carry_both_kinds_of_merge_rules()
    {
        var spec = BuiltInSchemas.All.Find("io.k8s.api.core.v1.PodSpec")!["properties"]!["containers"]!.AsObject();

        JsonNode.DeepEquals(spec["x-kubernetes-list-map-keys"], new JsonArray("name")).Should().BeTrue();
        spec["x-kubernetes-patch-merge-key"]!.GetValue<string>().Should().Be("name");
    }
}
