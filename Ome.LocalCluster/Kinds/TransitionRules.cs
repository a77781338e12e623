using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ome.LocalCluster.Patching;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Schemas;

namespace Ome.LocalCluster.Kinds;

/// <summary>
/// The one form of <c>x-kubernetes-validations</c> that is enforced here, because Ome's own CRDs use it: equality of a field with its old value,
/// <c>self.a.b == oldSelf.a.b</c>, also several joined by <c>&amp;&amp;</c>. There is no CEL; other rules are named in a warning when the CRD is written.
/// </summary>
public sealed partial class TransitionRules
{
    private readonly List<Rule> _rules = [];
    private readonly List<string> _skipped = [];

    private TransitionRules(JsonObject schema) => Collect(schema, []);

    /// <summary>Rules that are not enforced: where they stand and what they say.</summary>
    public IReadOnlyList<string> Skipped => _skipped;

    public static TransitionRules Read(JsonObject openApiV3Schema) => new(openApiV3Schema);

    /// <summary>Checks an update.</summary>
    public IEnumerable<FieldError> Validate(JsonObject item, JsonObject old)
    {
        foreach (var rule in _rules)
        {
            // As in CEL: a transition rule speaks only where there is a value before and after.
            if (At(item, rule.Place) is not { } now || At(old, rule.Place) is not { } before) continue;
            if (!rule.Equalities.All(e => At(now, e.New) is { } left && At(before, e.Old) is { } right && JsonValues.Same(left, right)))
                yield return FieldError.Invalid(string.Join('.', rule.Place), "\"object\"", rule.Message);
        }
    }

    private void Collect(JsonObject schema, string[] place)
    {
        foreach (var validation in (schema.List("x-kubernetes-validations") ?? []).OfType<JsonObject>())
        {
            var text = validation.Text("rule") ?? "";
            var terms = text.Split("&&").Select(term => Equality().Match(term)).ToList();
            if (terms.TrueForAll(term => term.Success)) _rules.Add(new Rule(place, [.. terms.Select(t => (Steps(t.Groups["new"]), Steps(t.Groups["old"])))], validation.Text("message") ?? $"failed rule: {text}"));
            else _skipped.Add($"{(place.Length == 0 ? "." : string.Join('.', place))}: {text}");
        }
        foreach (var (name, member) in schema.Map("properties") ?? [])
        {
            if (member is JsonObject child) Collect(child, [.. place, name]);
        }
        // Below lists and maps old and new values have no agreed partner: rules there are all named as not enforced.
        foreach (var member in new[] { "items", "additionalProperties" })
        {
            if (schema.Map(member) is { } child) SkipAll(child, $"{string.Join('.', place)}[*]");
        }
    }

    private void SkipAll(JsonObject schema, string place)
    {
        var inner = new TransitionRules(schema);
        _skipped.AddRange(inner._skipped.Concat(inner._rules.Select(r => r.Message)).Select(rule => $"{place}: {rule}"));
    }

    private static string[] Steps(Group path) => path.Value.Split('.', StringSplitOptions.RemoveEmptyEntries);

    private static JsonNode? At(JsonNode node, string[] path)
    {
        JsonNode? at = node;
        foreach (var step in path) at = (at as JsonObject)?[step];
        return at;
    }

    [GeneratedRegex(@"^\s*self(?<new>(\.\w+)*)\s*==\s*oldSelf(?<old>(\.\w+)*)\s*$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Equality();

    private sealed record Rule(string[] Place, (string[] New, string[] Old)[] Equalities, string Message);
}
