using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ome.Shared.Domain.Manifests;

/// <summary>Writes JSON objects, one a line, without insignificant bytes.</summary>
internal sealed class JsonLines : IDisposable
{
    // Relaxed: paths in any script stay readable; the text is never put into HTML.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Utf8JsonWriter _json;

    public JsonLines() => _json = new Utf8JsonWriter(_buffer, Options);

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    public void Add(Action<Utf8JsonWriter> members)
    {
        _json.WriteStartObject();
        members(_json);
        _json.WriteEndObject();
        _json.Flush();
        _json.Reset();
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

    public void Dispose() => _json.Dispose();
}

/// <summary>
/// Takes the members of one JSON object in the order they must stand in; anything else is a <see cref="FormatException"/>. Makes no objects but
/// the texts that are asked for. What is no JSON, or goes on after the object, is a <see cref="JsonException"/>.
/// </summary>
internal ref struct JsonMembers
{
    /// <summary>Longer than any digest.</summary>
    private const int MaxShortText = 128;

    private Utf8JsonReader _reader;

    public JsonMembers(ReadOnlySpan<byte> line)
    {
        _reader = new Utf8JsonReader(line);
        if (!_reader.Read() || _reader.TokenType != JsonTokenType.StartObject) throw new FormatException("a line is not a JSON object");
        _reader.Read();
    }

    public delegate T ShortText<T>(ReadOnlySpan<char> text);

    public string Text(scoped ReadOnlySpan<byte> name) => OptionalText(name) ?? throw Missing(name);

    public string? OptionalText(scoped ReadOnlySpan<byte> name)
    {
        if (!Take(name, JsonTokenType.String)) return null;
        var text = _reader.GetString()!;
        _reader.Read();
        return text;
    }

    /// <summary>What <paramref name="parse"/> makes of a text that need not be kept; null when it is not there.</summary>
    public T? OptionalText<T>(scoped ReadOnlySpan<byte> name, ShortText<T> parse)
        where T : struct
    {
        if (!Take(name, JsonTokenType.String)) return null;
        var value = Parse(parse);
        _reader.Read();
        return value;
    }

    public long Number(scoped ReadOnlySpan<byte> name) => OptionalNumber(name) ?? throw Missing(name);

    public long? OptionalNumber(scoped ReadOnlySpan<byte> name)
    {
        if (!Take(name, JsonTokenType.Number)) return null;
        var number = _reader.GetInt64();
        _reader.Read();
        return number;
    }

    /// <summary>The texts of an array; none when it is not there.</summary>
    public ImmutableArray<T> OptionalTexts<T>(scoped ReadOnlySpan<byte> name, ShortText<T> parse)
    {
        if (!Take(name, JsonTokenType.StartArray)) return [];
        ImmutableArray<T>.Builder? items = null;
        while (NextItem(JsonTokenType.String)) (items ??= ImmutableArray.CreateBuilder<T>(1)).Add(Parse(parse));
        return items?.DrainToImmutable() ?? [];
    }

    /// <summary>Begins an array of numbers, whose items <see cref="NextNumber"/> and <see cref="Item"/> take; false when it is not there.</summary>
    public bool BeginNumbers(scoped ReadOnlySpan<byte> name) => Take(name, JsonTokenType.StartArray);

    /// <summary>True at another number of the array; after the last it goes on to the next member.</summary>
    public bool NextNumber() => NextItem(JsonTokenType.Number);

    /// <summary>The number <see cref="NextNumber"/> stands at.</summary>
    public readonly long Item => _reader.GetInt64();

    /// <summary>The same, where it cannot be negative.</summary>
    public readonly ulong UnsignedItem => _reader.GetUInt64();

    /// <summary>Nothing may be left.</summary>
    public void End()
    {
        if (_reader.TokenType != JsonTokenType.EndObject) throw new FormatException($"'{_reader.GetString()}' is unknown or out of order");
        _reader.Read();
    }

    public static FormatException Missing(scoped ReadOnlySpan<byte> name) => new($"'{Encoding.UTF8.GetString(name)}' is missing");

    private readonly T Parse<T>(ShortText<T> parse)
    {
        if (_reader.ValueSpan.Length > MaxShortText) return parse(_reader.GetString());
        Span<char> text = stackalloc char[MaxShortText];
        return parse(text[.._reader.CopyString(text)]);
    }

    private bool NextItem(JsonTokenType kind)
    {
        _reader.Read();
        if (_reader.TokenType == JsonTokenType.EndArray)
        {
            _reader.Read();
            return false;
        }

        return _reader.TokenType == kind ? true : throw new FormatException($"an array holds a {_reader.TokenType}");
    }

    private bool Take(scoped ReadOnlySpan<byte> name, JsonTokenType kind)
    {
        if (_reader.TokenType != JsonTokenType.PropertyName || !_reader.ValueTextEquals(name)) return false;
        _reader.Read();
        return _reader.TokenType == kind ? true : throw new FormatException($"'{Encoding.UTF8.GetString(name)}' is not a {kind}");
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

    /// <summary>Null when it is not there.</summary>
    public static FileStamp? Read(ref JsonMembers members, ReadOnlySpan<byte> name)
    {
        if (!members.BeginNumbers(name)) return null;
        var stamp = new FileStamp(Next(ref members), Next(ref members), Next(ref members), NextUnsigned(ref members), NextUnsigned(ref members), Next(ref members));
        if (members.NextNumber()) throw new FormatException("a stamp has more than 6 numbers");
        return stamp.Size >= 0 ? stamp : throw new FormatException($"a size of {stamp.Size}");
    }

    private static long Next(ref JsonMembers members) => members.NextNumber() ? members.Item : throw TooShort();

    private static ulong NextUnsigned(ref JsonMembers members) => members.NextNumber() ? members.UnsignedItem : throw TooShort();

    private static FormatException TooShort() => new("a stamp has less than 6 numbers");
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
