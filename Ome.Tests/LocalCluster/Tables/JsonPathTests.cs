using System.Text.Json.Nodes;
using Ome.LocalCluster.Tables;

namespace Ome.Tests.LocalCluster.Tables;

/// <summary>The JSONPath subset of printer columns.</summary>
public sealed class JsonPathTests
{
    private const string Document = """
        {"metadata":{"name":"n","labels":{"a.b/c":"dotted","x":"y"}},
         "spec":{"list":["a","b","c"],"n":3,"empty":[],"null":null},
         "status":{"conditions":[{"type":"Ready","status":"True","n":1},{"type":"Damaged","status":"False","n":5},{"type":"[odd]","status":"Odd"}]}}
        """;

    [TestCase(".metadata.name", "n")]
    [TestCase("{.metadata.name}", "n")]
    [TestCase("$.metadata.name", "n")]
    [TestCase("metadata.name", "n")]
    [TestCase(".metadata['name']", "n")]
    [TestCase(""".metadata["name"]""", "n")]
    [TestCase(""".metadata.labels.a\.b/c""", "dotted")]
    [TestCase(".metadata.labels['a.b/c']", "dotted")]
    [TestCase(""".metadata.labels['a\.b/c']""", "dotted")]
    [TestCase(".metadata.labels.*", "dotted,y")]
    [TestCase(".spec.list[0]", "a")]
    [TestCase(".spec.list[-1]", "c")]
    [TestCase(".spec.list[5]", "")]
    [TestCase(".spec.list[*]", "a,b,c")]
    [TestCase(".spec.list[1:]", "b,c")]
    [TestCase(".spec.list[0:2]", "a,b")]
    [TestCase(".spec.empty[*]", "")]
    [TestCase(".spec.missing.deeper", "")]
    [TestCase(".spec.n.deeper", "")]
    [TestCase(""".status.conditions[?(@.type=="Ready")].status""", "True")]
    [TestCase(".status.conditions[?(@.type=='Damaged')].status", "False")]
    [TestCase(".status.conditions[?(@.type!='Ready')].type", "Damaged,[odd]")]
    [TestCase(".status.conditions[?(@.n>1)].type", "Damaged")]
    [TestCase(".status.conditions[?(@.n<=1)].type", "Ready")]
    [TestCase(".status.conditions[?(@.n)].type", "Ready,Damaged")]
    [TestCase(""".status.conditions[?(@.type=="[odd]")].status""", "Odd")]
    [TestCase(".status.conditions[*].type", "Ready,Damaged,[odd]")]
    public void Path(string path, string values) =>
        string.Join(',', JsonPath.Parse(path).Find(JsonNode.Parse(Document)).Select(value => value?.ToString() ?? "null")).Should().Be(values);

    [TestCase(".spec.list[")]
    [TestCase(".spec..list")]
    [TestCase(".spec.list[abc]")]
    [TestCase(".spec.list[?(@.a==)]")]
    [TestCase(".")]
    public void A_text_that_is_no_path_is_refused_and_named(string path)
    {
        var act = () => JsonPath.Parse(path);

        act.Should().Throw<FormatException>().WithMessage("JSONPath*");
    }
}
