using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;

namespace Ome.Tests.LocalCluster.Kinds;

/// <summary>The one form of CEL rule that is enforced, and the honesty about all others.</summary>
public sealed class TransitionRulesTests
{
    [TestCase("self.a == oldSelf.a", """{"a":1,"b":1}""", """{"a":1,"b":2}""", true)]
    [TestCase("self.a == oldSelf.a", """{"a":1}""", """{"a":2}""", false)]
    [TestCase("self.a.x == oldSelf.a.x && self.b == oldSelf.b", """{"a":{"x":1,"y":1},"b":[1]}""", """{"a":{"x":1,"y":2},"b":[1]}""", true)]
    [TestCase("self.a.x == oldSelf.a.x && self.b == oldSelf.b", """{"a":{"x":1},"b":[1]}""", """{"a":{"x":1},"b":[2]}""", false)]
    [TestCase("self == oldSelf", """{"a":1}""", """{"a":1}""", true)]
    [TestCase("self == oldSelf", """{"a":1}""", """{"a":1,"b":1}""", false)]
    [TestCase("self.a == oldSelf.a", """{"b":1}""", """{"a":1}""", false)]
    public void A_rule_of_equality_is_enforced(string rule, string before, string after, bool holds)
    {
        var rules = TransitionRules.Read(Schema(rule));

        rules.Skipped.Should().BeEmpty();
        rules.Validate(Item(after), Item(before)).Any().Should().Be(!holds);
    }

    [TestCase("self.a > oldSelf.a")]
    [TestCase("!has(oldSelf.a) || self.a == oldSelf.a")]
    [TestCase("self.a == oldSelf.a || self.b == oldSelf.b")]
    [TestCase("self.a == 'x'")]
    public void Any_other_rule_is_named_as_not_enforced(string rule)
    {
        var rules = TransitionRules.Read(Schema(rule));

        rules.Skipped.Should().Equal($"spec: {rule}");
        rules.Validate(Item("""{"a":1}"""), Item("""{"a":0}""")).Should().BeEmpty();
    }

    [Test]
    public void A_rule_on_list_items_is_named_as_not_enforced()
    {
        var schema = JsonNode.Parse("""{"type":"object","properties":{"list":{"type":"array","items":{"type":"object","x-kubernetes-validations":[{"rule":"self == oldSelf","message":"fixed"}]}}}}""")!;

        TransitionRules.Read(schema.AsObject()).Skipped.Should().Equal("list[*]: fixed");
    }

    [Test]
    public void Without_an_old_value_there_is_nothing_to_compare() =>
        TransitionRules.Read(Schema("self.a == oldSelf.a")).Validate(Item("""{"a":1}"""), []).Should().BeEmpty();

    private static JsonObject Schema(string rule) => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject { ["spec"] = new JsonObject { ["type"] = "object", ["x-kubernetes-validations"] = new JsonArray(new JsonObject { ["rule"] = rule, ["message"] = "no" }) } },
    };

    private static JsonObject Item(string spec) => new() { ["spec"] = JsonNode.Parse(spec) };
}
