using System.Buffers;
using System.Text;
using System.Text.Json;
using Ome.Shared.Domain.Aggregation;

namespace Ome.Shared.Domain.Reporting;

/// <summary>
/// The data of a node ConfigMap as it arrived: keys, and each value as the JSON it was, in one pooled buffer. A value becomes text only when it is
/// asked for: of the fifty entries of a changed report, forty-nine usually say what they said before, and their fingerprints tell.
/// <para>Disposing gives the buffer back; nothing may be asked afterwards.</para>
/// </summary>
public sealed class ReportData : IDisposable
{
    private const int FirstBuffer = 64 << 10;

    private readonly record struct Value(string Key, int Start, int Length, ulong Fingerprint);

    private readonly List<Value> _values = [];
    private byte[] _buffer = [];
    private int _used;

    private ReportData()
    {
    }

    /// <summary>Values, with those of keys that name no model.</summary>
    public int Count => _values.Count;

    /// <summary>Reads the object that starts at the reader's token, and stops on its end. What is no text is kept as an unreadable entry.</summary>
    public static ReportData Read(ref Utf8JsonReader reader)
    {
        var data = new ReportData();
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("The data of a ConfigMap is an object of texts.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType == JsonTokenType.String) data.Add(key, ref reader);
            else data.AddNoText(key, ref reader);
        }

        return data;
    }

    /// <summary>The same for texts in hand.</summary>
    public static ReportData Of(IEnumerable<KeyValuePair<string, string>>? texts)
    {
        var data = new ReportData();
        foreach (var (key, text) in texts ?? [])
        {
            var start = data._used;
            if (text is null) data.Put("null"u8);
            else data.PutQuoted(text);
            data.Add(key, start);
        }

        return data;
    }

    /// <summary>Key of a value.</summary>
    public string Key(int index) => _values[index].Key;

    /// <summary>64 bits that differ when two values differ.</summary>
    public ulong Fingerprint(int index) => _values[index].Fingerprint;

    /// <summary>A value as an entry, or why it is none.</summary>
    public NodeReportItem Item(int index)
    {
        var value = _values[index];
        var json = new Utf8JsonReader(_buffer.AsSpan(value.Start, value.Length));
        json.Read();
        if (json.TokenType != JsonTokenType.String) return NodeReportItem.Read(null);
        var text = ArrayPool<byte>.Shared.Rent(value.Length);
        try
        {
            return NodeReportCodec.TryDecode(text.AsSpan(0, json.CopyString(text)), out var entry, out var error) ? new NodeReportItem(entry, null) : new NodeReportItem(null, error);
        }
        catch (InvalidOperationException)
        {
            // An escape may name half a character.
            return new NodeReportItem(null, NodeReportCodec.NotUnicode);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(text);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _values.Clear();
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private void Add(string key, ref Utf8JsonReader reader)
    {
        var start = _used;
        Put("\""u8);
        if (reader.HasValueSequence)
        {
            foreach (var part in reader.ValueSequence) Put(part.Span);
        }
        else
        {
            Put(reader.ValueSpan);
        }

        Put("\""u8);
        Add(key, start);
    }

    private void AddNoText(string key, ref Utf8JsonReader reader)
    {
        reader.Skip();
        var start = _used;
        Put("null"u8);
        Add(key, start);
    }

    private void Add(string key, int start) => _values.Add(new Value(key, start, _used - start, TextFingerprint.Of(_buffer.AsSpan(start, _used - start))));

    private void Put(ReadOnlySpan<byte> bytes)
    {
        if (_buffer.Length - _used < bytes.Length) Grow(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_used));
        _used += bytes.Length;
    }

    // Escapes what JSON must have escaped, and halves of characters, which no byte sequence can say.
    private void PutQuoted(string text)
    {
        Put("\""u8);
        Span<byte> bytes = stackalloc byte[4];
        for (var i = 0; i < text.Length;)
        {
            if (Rune.TryGetRuneAt(text, i, out var rune) && rune.Value >= ' ' && rune.Value is not ('"' or '\\'))
            {
                Put(bytes[..rune.EncodeToUtf8(bytes)]);
                i += rune.Utf16SequenceLength;
            }
            else
            {
                Put(Encoding.ASCII.GetBytes($"\\u{(int)text[i]:x4}"));
                i++;
            }
        }

        Put("\""u8);
    }

    private void Grow(int more)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstBuffer, Math.Max(_buffer.Length * 2, _used + more)));
        _buffer.AsSpan(0, _used).CopyTo(larger);
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
