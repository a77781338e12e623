using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ome.Shared.Domain.Reporting;

/// <summary>
/// The JSON of one entry (contract 3.2 to 3.4): any letter case, nulls and unknown members are read; output depends on the entry alone, byte for byte.
/// </summary>
public static class NodeReportCodec
{
    /// <summary>Longest entry read, in characters: a ConfigMap holds no more.</summary>
    public const int MaxEntryLength = 1 << 20;

    /// <summary>Why a text with halves of characters is no entry.</summary>
    internal const string NotUnicode = "not an entry: the text is not valid Unicode";

    private static readonly EntryJson Json = new(new JsonSerializerOptions
    {
        PropertyNameCaseInsensitive = true,
        // What HTML would need escaped is plain text here; OME reads either form.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 64,
    });

    /// <summary>The entry as compact JSON.</summary>
    public static string Encode(NodeModelEntry entry) => JsonSerializer.Serialize(entry, Json.NodeModelEntry);

    /// <summary>Reads an entry. JSON <c>null</c> and <c>{}</c> are entries without a status (contract E12).</summary>
    /// <returns>False when the text is not an entry; <paramref name="error"/> says why and never repeats the text.</returns>
    public static bool TryDecode(string? text, [NotNullWhen(true)] out NodeModelEntry? entry, [NotNullWhen(false)] out string? error)
    {
        entry = null;
        error = null;
        if (text is null) error = "no text";
        else if (text.Length > MaxEntryLength) error = $"longer than {MaxEntryLength} characters";
        return error is null && TryDecode(text, static text => JsonSerializer.Deserialize(text!, Json.NodeModelEntry), out entry, out error);
    }

    /// <summary>The same for a text in UTF-8, which saves most of what reading one costs: it need not become text first.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> text, [NotNullWhen(true)] out NodeModelEntry? entry, [NotNullWhen(false)] out string? error) =>
        text.Length > MaxEntryLength
            ? TryDecode(Encoding.UTF8.GetString(text), out entry, out error)
            : TryDecode(text, static text => JsonSerializer.Deserialize(text, Json.NodeModelEntry), out entry, out error);

    private static bool TryDecode<TText>(TText text, Func<TText, NodeModelEntry?> read, [NotNullWhen(true)] out NodeModelEntry? entry, [NotNullWhen(false)] out string? error)
        where TText : allows ref struct
    {
        entry = null;
        error = null;
        try
        {
            entry = read(text) ?? new NodeModelEntry();
            return true;
        }
        catch (JsonException exception)
        {
            error = $"not an entry: unexpected JSON at {Shown(exception.Path)}, byte {exception.BytePositionInLine ?? 0}";
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            // Invalid surrogates in the text surface as these, from inside the serializer.
            error = NotUnicode;
        }

        return false;
    }

    private static string Shown(string? path) => path is null or "" ? "the start" : path.Length <= 64 ? path : path[..64];
}

[JsonSerializable(typeof(NodeModelEntry))]
internal sealed partial class EntryJson : JsonSerializerContext;
