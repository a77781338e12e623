using System.Buffers;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ome.Shared.Domain.Manifests;

/// <summary>Writes JSON objects, one a line, without insignificant bytes.</summary>
internal sealed class JsonLines
{
    // Relaxed: paths in any script stay readable; the text is never put into HTML.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _buffer = new();

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    public void Add(Action<Utf8JsonWriter> members)
    {
        using (var json = new Utf8JsonWriter(_buffer, Options))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        _buffer.Write("\n"u8);
    }

    /// <summary>Writes nothing for an empty list.</summary>
    public static void WriteArray<T>(Utf8JsonWriter json, string name, ImmutableArray<T> items, Action<Utf8JsonWriter, T> write)
    {
        if (items.IsDefaultOrEmpty) return;
        json.WriteStartArray(name);
        foreach (var item in items) write(json, item);
        json.WriteEndArray();
    }

    /// <summary>The lines of a body; each must end with a line feed.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> body)
    {
        while (!body.IsEmpty)
        {
            var end = body.Span.IndexOf((byte)'\n');
            if (end < 0) throw new FormatException("the last line has no end");
            yield return body[..end];
            body = body[(end + 1)..];
        }
    }
}

/// <summary>Takes the members of one JSON object in the order they must stand in; anything else is a <see cref="FormatException"/>.</summary>
internal sealed class JsonMembers
{
    private readonly JsonProperty[] _members;
    private int _next;

    public JsonMembers(ReadOnlyMemory<byte> line)
    {
        // Never disposed: without a pooled buffer of its own the document is plain garbage.
        var root = JsonElement.Parse(line.Span);
        _members = root.ValueKind == JsonValueKind.Object ? [.. root.EnumerateObject()] : throw new FormatException("a line is not a JSON object");
    }

    public string Text(string name) => OptionalText(name) ?? throw new FormatException($"'{name}' is missing");

    public string? OptionalText(string name) => Take(name, JsonValueKind.String)?.GetString();

    public long Number(string name) => OptionalNumber(name) ?? throw new FormatException($"'{name}' is missing");

    public long? OptionalNumber(string name) => Take(name, JsonValueKind.Number)?.GetInt64();

    public JsonElement[] Array(string name) => [.. Take(name, JsonValueKind.Array)?.EnumerateArray() ?? throw new FormatException($"'{name}' is missing")];

    public JsonElement[] OptionalArray(string name) => Take(name, JsonValueKind.Array) is { } array ? [.. array.EnumerateArray()] : [];

    /// <summary>Nothing may be left.</summary>
    public void End()
    {
        if (_next < _members.Length) throw new FormatException($"'{_members[_next].Name}' is unknown or out of order");
    }

    private JsonElement? Take(string name, JsonValueKind kind)
    {
        if (_next >= _members.Length || _members[_next].Name != name) return null;
        var value = _members[_next++].Value;
        return value.ValueKind == kind ? value : throw new FormatException($"'{name}' is not a {kind}");
    }
}

/// <summary>A stamp as <c>[size, mtimeNs, ctimeNs, inode, device, blocks]</c>.</summary>
internal static class StampText
{
    public static void Write(Utf8JsonWriter json, string name, FileStamp stamp)
    {
        json.WriteStartArray(name);
        json.WriteNumberValue(stamp.Size);
        json.WriteNumberValue(stamp.MtimeNs);
        json.WriteNumberValue(stamp.CtimeNs);
        json.WriteNumberValue(stamp.Inode);
        json.WriteNumberValue(stamp.Device);
        json.WriteNumberValue(stamp.Blocks);
        json.WriteEndArray();
    }

    public static FileStamp Read(JsonElement[] values)
    {
        if (values.Length != 6) throw new FormatException($"a stamp has {values.Length} numbers");
        if (values.Any(value => value.ValueKind != JsonValueKind.Number)) throw new FormatException("a stamp holds something that is not a number");
        var size = values[0].GetInt64();
        if (size < 0) throw new FormatException($"a size of {size}");
        return new FileStamp(size, values[1].GetInt64(), values[2].GetInt64(), values[3].GetUInt64(), values[4].GetUInt64(), values[5].GetInt64());
    }
}

/// <summary>UTC times as <c>2026-11-23T13:10:15.123Z</c>.</summary>
internal static class TimeText
{
    private const string Form = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public static string Write(DateTimeOffset time) => time.UtcDateTime.ToString(Form);

    public static DateTimeOffset Read(string text) =>
        DateTimeOffset.TryParseExact(text, Form, null, System.Globalization.DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw new FormatException($"'{text}' is not a time");
}
