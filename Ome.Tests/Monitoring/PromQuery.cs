using System.Text.RegularExpressions;

namespace Ome.Tests.Monitoring;

/// <summary>Which metrics and labels a PromQL expression names. Not a parser: promtool says whether it is well-formed.</summary>
internal static partial class PromQuery
{
    private static readonly HashSet<string> Words = ["and", "or", "unless", "bool", "offset", "atan2", "inf", "nan", "start", "end", "group_left", "group_right"];

    /// <summary>Metric names, each once.</summary>
    public static IReadOnlySet<string> Metrics(string expression)
    {
        var metrics = new HashSet<string>(StringComparer.Ordinal);
        var bare = WithoutLists(WithoutSelectors(Plain(expression)));
        foreach (Match word in Word().Matches(bare))
        {
            var isCall = bare.AsSpan(word.Index + word.Length).TrimStart() is ['(', ..];
            if (!isCall && !Words.Contains(word.Value)) metrics.Add(word.Value);
        }

        return metrics;
    }

    /// <summary>Label names in selectors and in lists such as <c>by (...)</c>, each once.</summary>
    public static IReadOnlySet<string> Labels(string expression)
    {
        var text = Plain(expression);
        var labels = Selector().Matches(text).SelectMany(static selector => Matcher().Matches(selector.Value)).Select(static matcher => matcher.Groups["label"].Value);
        var listed = LabelList().Matches(WithoutSelectors(text)).SelectMany(static list => Word().Matches(list.Groups["labels"].Value)).Select(static word => word.Value);
        return labels.Concat(listed).ToHashSet(StringComparer.Ordinal);
    }

    // Without strings and ranges.
    private static string Plain(string expression) => Range().Replace(Text().Replace(expression, "\"\""), "");

    private static string WithoutSelectors(string text) => Selector().Replace(text, "");

    private static string WithoutLists(string text) => LabelList().Replace(text, "");

    [GeneratedRegex("\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Text();

    [GeneratedRegex(@"\[[^\]]*\]", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Range();

    [GeneratedRegex(@"\{[^}]*\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Selector();

    [GeneratedRegex(@"(?<label>[A-Za-z_]\w*)\s*(?:=~|!~|!=|=)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Matcher();

    [GeneratedRegex(@"\b(?:by|without|on|ignoring|group_left|group_right)\s*\((?<labels>[^()]*)\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex LabelList();

    [GeneratedRegex(@"(?<![\w.$])[A-Za-z_:][\w:]*", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Word();
}
