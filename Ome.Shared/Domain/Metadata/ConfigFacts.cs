using System.Text.Json;

namespace Ome.Shared.Domain.Metadata;

/// <summary>
/// Typed, forgiving access to a <c>config.json</c>: a member of another type counts as absent and leaves a note, so that one odd field
/// never costs the rest.
/// </summary>
internal sealed class ConfigFacts(JsonElement root, List<string> notes)
{
    private static readonly string[] Nested = ["text_config", "llm_config", "language_config"];

    public JsonElement Root { get; } = root;

    public ConfigFacts? Section(string name) =>
        Root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? new ConfigFacts(value, notes) : null;

    public bool Has(string name) => Root.TryGetProperty(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined);

    public string? Text(string name)
    {
        if (!Root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind == JsonValueKind.String) return value.GetString();
        Note(name, "a string", value);
        return null;
    }

    // 1e308 stands for Infinity; a dimension beyond 2^53 is no dimension.
    public long? Number(string name) => Real(name) is { } number and > -9e15 and < 9e15 ? (long)number : null;

    public double? Real(string name)
    {
        if (!Root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number)) return number;
        Note(name, "a number", value);
        return null;
    }

    public string? FirstText(string name)
    {
        if (!Root.TryGetProperty(name, out var list) || list.ValueKind != JsonValueKind.Array) return null;
        return list.EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.String } first ? first.GetString() : null;
    }

    /// <summary>From the section, else the top level, else the first of the sections that hold a text model.</summary>
    public long? Dimension(string? section, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (section is not null && Section(section)?.Number(name) is { } inSection) return inSection;
            if (Number(name) is { } atTop) return atTop;
        }

        foreach (var nested in Nested)
        {
            foreach (var name in names)
            {
                if (Section(nested)?.Number(name) is { } value) return value;
            }
        }

        return null;
    }

    /// <summary>As <see cref="Dimension"/>, for text: <c>torch_dtype</c>, <c>transformers_version</c>.</summary>
    public string? Anywhere(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Text(name) is { Length: > 0 } atTop) return atTop;
        }

        foreach (var nested in Nested)
        {
            foreach (var name in names)
            {
                if (Section(nested)?.Text(name) is { Length: > 0 } value) return value;
            }
        }

        return null;
    }

    private void Note(string name, string wanted, JsonElement value) =>
        notes.Add($"{name} is {value.ValueKind.ToString().ToLowerInvariant()}, not {wanted}: ignored");
}
