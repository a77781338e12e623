namespace Ome.LocalCluster.Protocol;

/// <summary>A parsed <c>labelSelector</c>: all requirements must hold.</summary>
public sealed class LabelSelector
{
    private readonly List<Requirement> _requirements;

    private LabelSelector(List<Requirement> requirements) => _requirements = requirements;

    public static LabelSelector Everything { get; } = new([]);

    public bool IsEverything => _requirements.Count == 0;

    public bool Matches(IReadOnlyDictionary<string, string> labels)
    {
        foreach (var requirement in _requirements)
        {
            if (!requirement.Holds(labels)) return false;
        }
        return true;
    }

    /// <summary>Reads <c>a=b,c!=d,e in (f,g),h notin (i),j,!k,l&gt;1,m&lt;2</c>.</summary>
    /// <exception cref="ApiException">400 with the offending part.</exception>
    public static LabelSelector Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return Everything;
        return new LabelSelector([.. SplitTop(text).Select(part => Requirement.Parse(part, text))]);
    }

    /// <summary>Splits at commas outside parentheses.</summary>
    private static IEnumerable<string> SplitTop(string text)
    {
        var depth = 0;
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '(') depth++;
            else if (text[i] == ')') depth--;
            else if (text[i] == ',' && depth == 0)
            {
                yield return text[start..i];
                start = i + 1;
            }
        }
        yield return text[start..];
    }

    private enum Operator { Exists, Absent, In, NotIn, Greater, Less }

    private sealed record Requirement(string Key, Operator Operator, string[] Values)
    {
        public bool Holds(IReadOnlyDictionary<string, string> labels)
        {
            var present = labels.TryGetValue(Key, out var value);
            return Operator switch
            {
                Operator.Exists => present,
                Operator.Absent => !present,
                Operator.In => present && Values.Contains(value, StringComparer.Ordinal),
                Operator.NotIn => !present || !Values.Contains(value, StringComparer.Ordinal),
                Operator.Greater => present && long.TryParse(value, out var number) && number > long.Parse(Values[0]),
                _ => present && long.TryParse(value, out var number) && number < long.Parse(Values[0]),
            };
        }

        public static Requirement Parse(string part, string whole)
        {
            var text = part.Trim();
            if (text.StartsWith('!')) return new(ReadKey(text[1..], whole), Operator.Absent, []);
            if (text.EndsWith(')')) return ParseSet(text, whole);
            foreach (var (symbol, op) in Symbols)
            {
                var at = text.IndexOf(symbol, StringComparison.Ordinal);
                if (at < 0) continue;
                var value = text[(at + symbol.Length)..].Trim();
                if (op is Operator.Greater or Operator.Less && !long.TryParse(value, out _)) throw Bad(whole, $"for 'Gt', 'Lt' operators, the value must be an integer, got \"{value}\"");
                if (MetadataNames.LabelValueProblem(value) is { } problem) throw Bad(whole, $"invalid label value: \"{value}\": {problem}");
                return new(ReadKey(text[..at], whole), op, [value]);
            }
            return new(ReadKey(text, whole), Operator.Exists, []);
        }

        private static readonly (string, Operator)[] Symbols =
            [("!=", Operator.NotIn), ("==", Operator.In), ("=", Operator.In), (">", Operator.Greater), ("<", Operator.Less)];

        private static Requirement ParseSet(string text, string whole)
        {
            var open = text.IndexOf('(', StringComparison.Ordinal);
            var words = open < 0 ? [] : text[..open].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length != 2 || words[1] is not ("in" or "notin")) throw Bad(whole, $"found '{text}', expected: in, notin with a list in parentheses");
            var values = text[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries);
            return new(ReadKey(words[0], whole), words[1] == "in" ? Operator.In : Operator.NotIn, values);
        }

        private static string ReadKey(string text, string whole)
        {
            var key = text.Trim();
            if (MetadataNames.QualifiedNameProblem(key) is { } problem) throw Bad(whole, $"invalid label key \"{key}\": {problem}");
            return key;
        }

        private static ApiException Bad(string whole, string why) => ApiException.BadRequest($"unable to parse requirement in labelSelector \"{whole}\": {why}");
    }
}
