using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Patching;

/// <summary>Equality and canonical text of JSON values: numbers by value, members in any order.</summary>
public static class JsonValues
{
    /// <summary>True when both are the same value.</summary>
    public static bool Same(JsonNode? left, JsonNode? right)
    {
        if (left is null || right is null) return left is null && right is null;
        if (ReferenceEquals(left, right)) return true;
        return (left, right) switch
        {
            (JsonObject a, JsonObject b) => a.Count == b.Count && a.All(member => b.TryGetPropertyValue(member.Key, out var other) && Same(member.Value, other)),
            (JsonArray a, JsonArray b) => a.Count == b.Count && a.Zip(b).All(pair => Same(pair.First, pair.Second)),
            (JsonValue a, JsonValue b) => string.Equals(Canonical(a), Canonical(b), StringComparison.Ordinal),
            _ => false,
        };
    }

    /// <summary>One text for each value: sorted members, no space, <c>1</c> for <c>1.0</c>. Fit as a dictionary key.</summary>
    public static string Canonical(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject map => "{" + string.Join(',', map.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => Quote(m.Key) + ":" + Canonical(m.Value))) + "}",
        JsonArray list => "[" + string.Join(',', list.Select(Canonical)) + "]",
        _ => node.GetValueKind() switch
        {
            JsonValueKind.String => Quote(node.GetValue<string>()),
            JsonValueKind.Number => Number(node),
            _ => node.ToJsonString(),
        },
    };

    /// <summary>The number a node holds, however it was made; null for anything else.</summary>
    public static double? ToDouble(JsonNode? node) =>
        node is JsonValue && node.GetValueKind() == JsonValueKind.Number ? double.Parse(node.ToJsonString(), CultureInfo.InvariantCulture) : null;

    private static string Quote(string text) => "\"" + JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping) + "\"";

    private static string Number(JsonNode node)
    {
        var text = node.ToJsonString();
        if (decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact) && exact != 0)
            return exact.ToString("0.############################", CultureInfo.InvariantCulture);
        return double.Parse(text, CultureInfo.InvariantCulture).ToString("R", CultureInfo.InvariantCulture);
    }
}
