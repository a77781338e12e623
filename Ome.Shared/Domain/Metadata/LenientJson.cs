using System.Buffers;
using System.Text.Json;

namespace Ome.Shared.Domain.Metadata;

/// <summary>
/// JSON as Python writes it: bare <c>Infinity</c>, <c>-Infinity</c> and <c>NaN</c> values are read as 1e308, -1e308 and null (contract 6.2).
/// </summary>
public static class LenientJson
{
    /// <summary>Largest configuration file that is read, in bytes.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64, CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>The document, or null with the reason.</summary>
    public static JsonDocument? TryParse(byte[] utf8, out string? reason)
    {
        reason = null;
        try
        {
            var json = WithoutBareNumbers(WithoutMark(utf8));
            var document = JsonDocument.Parse(json, Options);
            if (IsUnicode(json.Span)) return document;
            document.Dispose();
            reason = "not JSON (a string is not Unicode text)";
            return null;
        }
        catch (JsonException refusal)
        {
            reason = $"not JSON (line {refusal.LineNumber + 1}, byte {refusal.BytePositionInLine})";
            return null;
        }
    }

    /// <summary>Bytes that are not UTF-8, and escapes that name half a character, would only be met when the string is used.</summary>
    private static bool IsUnicode(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Options.MaxDepth, CommentHandling = Options.CommentHandling, AllowTrailingCommas = Options.AllowTrailingCommas });
        var text = ArrayPool<char>.Shared.Rent(json.Length);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName) reader.CopyString(text);
            }

            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(text);
        }
    }

    private static ReadOnlyMemory<byte> WithoutMark(byte[] utf8) =>
        utf8.AsSpan().StartsWith("\uFEFF"u8) ? utf8.AsMemory(3) : utf8;

    private static ReadOnlyMemory<byte> WithoutBareNumbers(ReadOnlyMemory<byte> utf8)
    {
        var span = utf8.Span;
        if (span.IndexOf("NaN"u8) < 0 && span.IndexOf("Infinity"u8) < 0) return utf8;
        var result = new ArrayBufferWriter<byte>(span.Length + 64);
        var copied = 0;
        for (var i = 0; i < span.Length; i++)
        {
            if (span[i] == '"')
            {
                i = EndOfString(span, i);
                continue;
            }

            var (length, replacement) = BareNumberAt(span[i..]);
            if (length == 0) continue;
            result.Write(span[copied..i]);
            result.Write(replacement);
            copied = i + length;
            i = copied - 1;
        }

        result.Write(span[copied..]);
        return result.WrittenMemory;
    }

    private static int EndOfString(ReadOnlySpan<byte> json, int open)
    {
        for (var i = open + 1; i < json.Length; i++)
        {
            if (json[i] == '\\') i++;
            else if (json[i] == '"') return i;
        }

        return json.Length;
    }

    // "-Infinity" needs no case of its own: the sign stays in front of 1e308.
    private static (int Length, byte[] Replacement) BareNumberAt(ReadOnlySpan<byte> json)
    {
        if (IsWord(json, "NaN"u8)) return (3, "null"u8.ToArray());
        return IsWord(json, "Infinity"u8) ? (8, "1e308"u8.ToArray()) : (0, []);
    }

    private static bool IsWord(ReadOnlySpan<byte> text, ReadOnlySpan<byte> word) =>
        text.StartsWith(word) && (text.Length == word.Length || !char.IsAsciiLetterOrDigit((char)text[word.Length]));
}
