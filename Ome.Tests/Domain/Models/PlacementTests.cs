using System.Text.Json;
using Ome.Shared.Domain.Models;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Models;

/// <summary>Contract 10.6: which nodes stage a model, and why the others do not.</summary>
public sealed class PlacementTests
{
    private static readonly NodeFacts Node = new()
    {
        Name = "gpu-1",
        Labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["gpu"] = "h100",
            ["zone"] = "a",
            ["two"] = "2",
            ["eight"] = "8",
            ["node.kubernetes.io/instance-type"] = "BM.GPU.H100.8",
        },
    };

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { "contract/placement.json", null })]
    public void Placement(JsonElement row)
    {
        var answer = PlacementRules.Decide(Spec(row.GetProperty("spec")), Node);

        answer.IsSelected.Should().Be(row.GetProperty("want").GetBoolean(), answer.WhyNot);
        if (answer.IsSelected) answer.WhyNot.Should().BeNull();
        else answer.WhyNot.Should().Contain(row.Text("why") ?? ":");
    }

    [TestCase("BM.GPU.H100.8", "", "H100", TestName = "S13 a known type")]
    [TestCase("unknown-type", "{}", "unknown-type", TestName = "S13 an unknown type is its own alias")]
    [TestCase("x", """{"x":"Y"}""", "Y", TestName = "S13 a configured table replaces the built-in one")]
    public void Instance_type_alias(string type, string map, string want)
    {
        NodeShapes.TryParse(map, out var shapes, out _).Should().BeTrue();
        shapes!.AliasOf(type).Should().Be(want);
    }

    [TestCase("[1]")]
    [TestCase("{")]
    [TestCase("""{"x":1}""")]
    public void A_malformed_instance_type_map_is_refused_with_its_name(string map)
    {
        NodeShapes.TryParse(map, out _, out var error).Should().BeFalse();
        error.Should().StartWith("INSTANCE_TYPE_MAP");
    }

    [TestCase("tensorrtllm", "Serving", "oci://b/p", "/H100/", TestName = "S14 an engine takes the objects of its shape")]
    [TestCase("tensorrtllm", "FineTuning", "oci://b/p", null, TestName = "S14 another role takes all")]
    [TestCase("safetensors", "Serving", "oci://b/p", null, TestName = "S14 another format takes all")]
    [TestCase("tensorrtllm", "Serving", "hf://a/b", null, TestName = "S14 the filter is for OCI only")]
    public void Engine_filter(string format, string role, string uri, string? want) => NodeShapes.Default
        .RequiredObjectPart(new ModelSpec { Key = ModelKey.Cluster("m"), StorageUri = uri, FormatName = format, Role = role }, Node).Should().Be(want);

    [Test]
    public void The_former_instance_type_label_is_the_fallback() => new NodeFacts
    {
        Name = "n",
        Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["beta.kubernetes.io/instance-type"] = "old" },
    }.InstanceType.Should().Be("old");

    private static ModelSpec Spec(JsonElement spec)
    {
        var selector = spec.TryGetProperty("selector", out var pairs)
            ? pairs.EnumerateObject().ToDictionary(static pair => pair.Name, static pair => pair.Value.GetString()!, StringComparer.Ordinal)
            : [];
        List<NodeTerm>? terms = null;
        if (spec.TryGetProperty("terms", out var lists))
        {
            terms = [.. lists.EnumerateArray().Select(static list => new NodeTerm([.. list.EnumerateArray().Select(static one => Requirement(one.GetString()!))], []))];
        }
        else if (spec.TryGetProperty("fields", out var fields))
        {
            terms = [new NodeTerm([], [.. fields.EnumerateArray().Select(static one => Requirement(one.GetString()!))])];
        }

        return new ModelSpec { Key = ModelKey.Cluster("m"), StorageUri = spec.Text("uri") ?? "hf://org/m", NodeSelector = selector, RequiredTerms = terms };
    }

    private static NodeRequirement Requirement(string text)
    {
        var words = text.Split(' ');
        return new NodeRequirement(words[0], words[1], words[2..]);
    }
}
