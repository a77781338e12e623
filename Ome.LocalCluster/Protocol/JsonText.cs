using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Protocol;

/// <summary>Small readers and the one writer for JSON trees.</summary>
public static class JsonText
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private static readonly JsonDocumentOptions ReaderOptions = new() { MaxDepth = 128, AllowDuplicateProperties = false };

    /// <summary>Reads a tree.</summary>
    /// <exception cref="JsonException">Not JSON, nested deeper than 128, or a member named twice.</exception>
    public static JsonNode? Parse(ReadOnlySpan<byte> utf8) => JsonNode.Parse(utf8, documentOptions: ReaderOptions);

    public static byte[] ToUtf8(JsonNode tree)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions)) tree.WriteTo(writer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The member as text; null when absent, null or of another type.</summary>
    public static string? Text(this JsonObject map, string member) =>
        map[member] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>The member as an integer; null when absent, null or of another type.</summary>
    public static long? Integer(this JsonObject map, string member) =>
        map[member] is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<long>(out var number) ? number : null;

    public static JsonObject? Map(this JsonObject map, string member) => map[member] as JsonObject;

    public static JsonArray? List(this JsonObject map, string member) => map[member] as JsonArray;

    /// <summary>The texts of a list member; empty when absent.</summary>
    public static List<string> Texts(this JsonObject map, string member)
    {
        var texts = new List<string>();
        if (map[member] is not JsonArray list) return texts;
        foreach (var item in list)
        {
            if (item is JsonValue value && value.TryGetValue<string>(out var text)) texts.Add(text);
        }
        return texts;
    }

    public static JsonArray ToJsonArray(this IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    /// <summary><c>metadata</c>, created when absent.</summary>
    public static JsonObject Metadata(this JsonObject tree) => tree.Child("metadata");

    /// <summary>The member as an object, created when it is none.</summary>
    public static JsonObject Child(this JsonObject tree, string member)
    {
        if (tree[member] is JsonObject child) return child;
        child = [];
        tree[member] = child;
        return child;
    }

    /// <summary>Sets the member, or removes it for null.</summary>
    public static void Put(this JsonObject tree, string member, JsonNode? value)
    {
        if (value is null) tree.Remove(member);
        else tree[member] = value.Parent is null ? value : value.DeepClone();
    }
}
