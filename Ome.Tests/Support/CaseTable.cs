using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ome.Tests.Support;

/// <summary>A table of named cases: a JSON array in <c>Cases/</c>, one test per row, named by its id.</summary>
public static partial class CaseTable
{
    /// <summary>The rows of a table whose <c>op</c> is the given one; all rows when it is null.</summary>
    public static IEnumerable<TestCaseData> Rows(string table, string? op = null)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Cases", table);
        using var stream = File.OpenRead(path);
        using var document = JsonDocument.Parse(stream);
        foreach (var row in document.RootElement.EnumerateArray())
        {
            if (op is not null && row.GetProperty("op").GetString() != op) continue;
            var name = row.TryGetProperty("case", out var about) ? $"{row.GetProperty("id")} {about}" : row.GetProperty("id").ToString();
            yield return new TestCaseData(row.Clone()).SetArgDisplayNames(name);
        }
    }

    /// <summary>A text member with <c>{a*240}</c> written out; null when the member is null or absent.</summary>
    public static string? Text(this JsonElement row, string member) =>
        row.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? WriteOut(value.GetString()!) : null;

    /// <summary>A list of texts; empty when absent.</summary>
    public static IReadOnlyList<string> Texts(this JsonElement row, string member) =>
        row.TryGetProperty(member, out var value) ? [.. value.EnumerateArray().Select(static one => one.GetString()!)] : [];

    private static string WriteOut(string text) => Repeat().Replace(
        text, static match => new string(match.Groups["one"].Value[0], int.Parse(match.Groups["times"].Value, CultureInfo.InvariantCulture)));

    [GeneratedRegex(@"\{(?<one>[a-z])\*(?<times>\d+)\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Repeat();
}
