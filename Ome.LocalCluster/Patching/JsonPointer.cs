using System.Globalization;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Patching;

/// <summary>A JSON pointer (RFC 6901) split into its tokens.</summary>
internal sealed class JsonPointer
{
    private readonly string[] _tokens;

    private JsonPointer(string text, string[] tokens)
    {
        Text = text;
        _tokens = tokens;
    }

    public string Text { get; }

    public bool IsRoot => _tokens.Length == 0;

    public string Last => _tokens[^1];

    /// <summary>Splits and unescapes.</summary>
    /// <exception cref="PatchException">The text is neither empty nor starts with a slash, or holds a bad escape.</exception>
    public static JsonPointer Parse(string text)
    {
        if (text.Length == 0) return new(text, []);
        if (text[0] != '/') throw PatchException.BadRequest($"json patch path \"{text}\" must start with \"/\"");
        return new(text, Array.ConvertAll(text[1..].Split('/'), Unescape));
    }

    public bool IsProperPrefixOf(JsonPointer other) => other._tokens.Length > _tokens.Length && other._tokens.AsSpan(0, _tokens.Length).SequenceEqual(_tokens);

    /// <summary>Finds the value; false when a step is missing. A null value that is present counts as found.</summary>
    public bool TryGet(JsonNode? root, out JsonNode? value) => Walk(root, _tokens, out value);

    /// <summary>Finds the object or array that holds the last token.</summary>
    public bool TryGetParent(JsonNode? root, out JsonNode? parent) => Walk(root, _tokens.AsSpan(0, _tokens.Length - 1), out parent);

    /// <summary>An array index without sign, leading zero or excess; null when it is none.</summary>
    public static int? Index(string token, int limit)
    {
        if (token.Length > 1 && token[0] == '0') return null;
        return int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index <= limit ? index : null;
    }

    private static bool Walk(JsonNode? root, ReadOnlySpan<string> tokens, out JsonNode? value)
    {
        value = root;
        foreach (var token in tokens)
        {
            switch (value)
            {
                case JsonObject map when map.TryGetPropertyValue(token, out var member): value = member; break;
                case JsonArray list when Index(token, list.Count - 1) is { } index: value = list[index]; break;
                default: value = null; return false;
            }
        }
        return true;
    }

    private static string Unescape(string token)
    {
        for (var tilde = token.IndexOf('~', StringComparison.Ordinal); tilde >= 0; tilde = token.IndexOf('~', tilde + 1))
        {
            if (tilde + 1 == token.Length || token[tilde + 1] is not ('0' or '1'))
                throw PatchException.BadRequest($"json patch path token \"{token}\" holds a \"~\" that is neither \"~0\" nor \"~1\"");
        }
        return token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
    }
}
