using System.Text.Json;
using Ome.Shared.Domain.Models;
using Ome.Tests.Support;

namespace Ome.Tests.Domain.Models;

/// <summary>Contract 10.6: which nodes stage a model, and why the others do not.</summary>
public sealed class PlacementTests
{
    private const string Table = "contract/placement.json";

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

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "decide" })]
    public void Placement(JsonElement row)
    {
        var answer = PlacementRules.Decide(Spec(row.GetProperty("spec")), Node);

        answer.IsSelected.Should().Be(row.GetProperty("want").GetBoolean(), answer.WhyNot);
        if (answer.IsSelected) answer.WhyNot.Should().BeNull();
        else answer.WhyNot.Should().Contain(row.Text("why") ?? ":");
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "alias" })]
    public void Instance_type_alias(JsonElement row)
    {
        NodeShapes.TryParse(row.Text("map")!, out var shapes, out _).Should().BeTrue();
        shapes!.AliasOf(row.Text("type")!).Should().Be(row.Text("want"));
    }

    [TestCase("[1]")]
    [TestCase("{")]
    [TestCase("""{"x":1}""")]
    public void A_malformed_instance_type_map_is_refused_with_its_name(string map)
    {
        NodeShapes.TryParse(map, out _, out var error).Should().BeFalse();
        error.Should().StartWith("INSTANCE_TYPE_MAP");
    }

    [Test]
    public void The_shape_filter_is_for_OCI_only() => NodeShapes.Default
        .RequiredObjectPart(new ModelSpec { Key = ModelKey.Cluster("m"), StorageUri = "hf://a/b", FormatName = "tensorrtllm" }, Node).Should().BeNull();

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
