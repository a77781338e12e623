using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;

namespace Ome.LocalCluster.Tables;

/// <summary>
/// The JSONPath that printer columns, <c>scale</c> paths and <c>kubectl wait --for=jsonpath</c> use: <c>.a.b</c>, <c>['a.b']</c>, <c>a\.b</c>, <c>[0]</c>, <c>[-1]</c>,
/// <c>[*]</c>, <c>.*</c>, slices <c>[0:2]</c> and filters <c>[?(@.type=="Ready")]</c>.
/// </summary>
public sealed class JsonPath
{
    private readonly IReadOnlyList<Step> _steps;

    private JsonPath(string text, IReadOnlyList<Step> steps)
    {
        Text = text;
        _steps = steps;
    }

    private abstract record Step
    {
        public sealed record Field(string Name) : Step;

        public sealed record Index(int At) : Step;

        public sealed record Slice(int From, int? To) : Step;

        public sealed record Wildcard : Step;

        public sealed record Filter(JsonPath Left, string Operator, JsonNode? Right) : Step;
    }

    /// <summary>As written.</summary>
    public string Text { get; }

    /// <summary>Reads a path.</summary>
    /// <exception cref="FormatException">The text is no path of this subset; the message says where.</exception>
    public static JsonPath Parse(string text) => new(text, new Reader(text).Steps());

    /// <summary>True when <see cref="Parse"/> can read the text.</summary>
    public static bool IsValid(string text)
    {
        try
        {
            Parse(text);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>All values the path leads to, in document order; none when a step is missing.</summary>
    public IReadOnlyList<JsonNode?> Find(JsonNode? root)
    {
        IEnumerable<JsonNode?> current = [root];
        foreach (var step in _steps) current = current.SelectMany(node => Take(node, step)).ToList();
        return [.. current];
    }

    private static IEnumerable<JsonNode?> Take(JsonNode? node, Step step) => (step, node) switch
    {
        (Step.Field field, JsonObject map) => map.TryGetPropertyValue(field.Name, out var value) ? [value] : [],
        (Step.Wildcard, JsonObject map) => map.Select(member => member.Value),
        (Step.Wildcard, JsonArray list) => list,
        (Step.Index index, JsonArray list) => (index.At < 0 ? index.At + list.Count : index.At) is var at && at >= 0 && at < list.Count ? [list[at]] : [],
        (Step.Slice slice, JsonArray list) => list.Skip(slice.From).Take((slice.To ?? list.Count) - slice.From),
        (Step.Filter filter, JsonArray list) => list.Where(item => Holds(filter, item)),
        _ => [],
    };

    private static bool Holds(Step.Filter filter, JsonNode? item)
    {
        var found = filter.Left.Find(item);
        if (filter.Operator.Length == 0) return found.Count > 0;
        if (found.Count == 0) return false;
        return filter.Operator switch
        {
            "==" => JsonValues.Same(found[0], filter.Right),
            "!=" => !JsonValues.Same(found[0], filter.Right),
            _ => Compare(found[0], filter.Right) is { } order && filter.Operator switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 },
        };
    }

    private static int? Compare(JsonNode? left, JsonNode? right)
    {
        if (left is not JsonValue || right is not JsonValue || left.GetValueKind() != right.GetValueKind()) return null;
        return left.GetValueKind() switch
        {
            JsonValueKind.Number => JsonValues.ToDouble(left)!.Value.CompareTo(JsonValues.ToDouble(right)!.Value),
            JsonValueKind.String => string.CompareOrdinal(left.GetValue<string>(), right.GetValue<string>()),
            _ => null,
        };
    }

    private sealed class Reader(string text)
    {
        private static readonly string[] Operators = ["==", "!=", "<=", ">=", "<", ">"];
        private int _at;

        public List<Step> Steps()
        {
            var steps = new List<Step>();
            // kubectl writes {.a.b}; CRDs write .a.b
            var inner = text.StartsWith('{') && text.EndsWith('}') ? text[1..^1] : text;
            if (inner.Length != text.Length) return new Reader(inner).Steps();
            if (_at < text.Length && text[_at] is '$' or '@') _at++;
            while (_at < text.Length) steps.Add(Next());
            return steps;
        }

        private Step Next()
        {
            if (text[_at] == '[') return Bracket();
            if (text[_at] == '.') _at++;
            else if (_at > 0) throw Bad("expected . or [");
            if (_at < text.Length && text[_at] == '[') return Bracket();
            var name = Name();
            return name == "*" ? new Step.Wildcard() : new Step.Field(name);
        }

        private string Name()
        {
            var name = new StringBuilder();
            for (; _at < text.Length && text[_at] is not ('.' or '['); _at++)
            {
                if (text[_at] == '\\' && _at + 1 < text.Length) _at++;
                name.Append(text[_at]);
            }
            return name.Length > 0 ? name.ToString() : throw Bad("expected a name");
        }

        private Step Bracket()
        {
            var close = Close();
            var inner = text[(_at + 1)..close].Trim();
            _at = close + 1;
            if (inner == "*") return new Step.Wildcard();
            if (inner.StartsWith("?(", StringComparison.Ordinal) && inner.EndsWith(')')) return FilterOf(inner[2..^1].Trim());
            if (Quoted(inner) is { } name) return new Step.Field(name);
            if (int.TryParse(inner, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index)) return new Step.Index(index);
            if (inner.Split(':') is [var from, var to] && Bound(from, 0) is { } first && (to.Length == 0 || Bound(to, 0) is not null))
                return new Step.Slice(first, to.Length == 0 ? null : Bound(to, 0));
            throw Bad($"cannot read [{inner}]");
        }

        // The bracket that closes this one: not inside quotes, nested ones counted.
        private int Close()
        {
            char? quote = null;
            var depth = 0;
            for (var i = _at; i < text.Length; i++)
            {
                if (quote is not null) quote = text[i] == quote ? null : quote;
                else if (text[i] is '\'' or '"') quote = text[i];
                else if (text[i] == '[') depth++;
                else if (text[i] == ']' && --depth == 0) return i;
            }
            throw Bad("[ is not closed");
        }

        private Step.Filter FilterOf(string condition)
        {
            foreach (var name in Operators)
            {
                var at = condition.IndexOf(name, StringComparison.Ordinal);
                if (at < 0) continue;
                var right = condition[(at + name.Length)..].Trim();
                return new(Parse(condition[..at].Trim()), name, Quoted(right) is { } quoted ? quoted : Literal(right));
            }
            return new(Parse(condition), "", null);
        }

        private JsonNode? Literal(string literal)
        {
            try
            {
                return JsonNode.Parse(literal);
            }
            catch (JsonException)
            {
                throw Bad($"cannot read the value {literal}");
            }
        }

        private static int? Bound(string bound, int missing) => bound.Length == 0 ? missing
            : int.TryParse(bound, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

        private static string? Quoted(string literal) =>
            literal.Length >= 2 && literal[0] is '\'' or '"' && literal[^1] == literal[0] ? literal[1..^1].Replace("\\", "", StringComparison.Ordinal) : null;

        private FormatException Bad(string why) => new($"JSONPath \"{text}\" at {_at}: {why}");
    }
}
