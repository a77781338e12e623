using System.Globalization;
using System.Text.RegularExpressions;

namespace Ome.Tests.Support;

/// <summary>A scrape in Prometheus' text format: the type of every metric and its series.</summary>
public sealed partial class MetricsText
{
    private readonly Dictionary<string, string> _types = new(StringComparer.Ordinal);
    private readonly List<(string Name, IReadOnlyDictionary<string, string> Labels, double Value)> _series = [];

    public MetricsText(string text)
    {
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal)) _types[line.Split(' ')[2]] = line.Split(' ')[3];
            else if (Series().Match(line) is { Success: true } match) _series.Add((match.Groups[1].Value, LabelsOf(match.Groups[2].Value), double.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>Type by name.</summary>
    public IReadOnlyDictionary<string, string> Types => _types;

    /// <summary>Label names of a metric's series, without the bucket's own; null when it has no series.</summary>
    public IReadOnlyList<string>? LabelNames(string metric)
    {
        var series = _series.Where(series => series.Name == (_types[metric] == "histogram" ? metric + "_count" : metric)).ToList();
        return series.Count == 0 ? null : [.. series.SelectMany(one => one.Labels.Keys).Distinct()];
    }

    /// <summary>The sum of the series that have these labels, among others.</summary>
    public double Value(string name, params ReadOnlySpan<(string Label, string Value)> labels)
    {
        var sum = 0d;
        foreach (var series in _series.Where(series => series.Name == name))
        {
            var matches = true;
            foreach (var (label, value) in labels) matches &= series.Labels.GetValueOrDefault(label) == value;
            if (matches) sum += series.Value;
        }

        return sum;
    }

    private static Dictionary<string, string> LabelsOf(string text) =>
        Label().Matches(text).ToDictionary(static match => match.Groups[1].Value, static match => match.Groups[2].Value, StringComparer.Ordinal);

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Series();

    [GeneratedRegex(@"(?<name>\w+)=""(?<value>(?:[^""\\]|\\.)*)""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Label();
}
