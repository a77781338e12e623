using System.Text.Json;

namespace Ome.Shared.Domain.Metadata;

/// <summary>Reads the pipeline of a <c>model_index.json</c> (contract 6.9).</summary>
internal static class DiffusionReader
{
    private static readonly string[] ClassNames = ["_class_name", "class_name", "className"];

    /// <summary>Null when the file names neither a class nor a component.</summary>
    public static DiffusionPipeline? Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) return null;
        var className = FirstText(root, ClassNames);
        var components = new List<(string Name, DiffusionComponent Component)>();
        foreach (var member in root.EnumerateObject())
        {
            if (!member.Name.StartsWith('_') && !ClassNames.Contains(member.Name) && Component(member.Value) is { } component) components.Add((member.Name, component));
        }

        if (className is null && components.Count == 0) return null;
        return components.Aggregate(new DiffusionPipeline(className), (pipeline, next) => With(pipeline, next.Name, next.Component));
    }

    private static DiffusionPipeline With(DiffusionPipeline pipeline, string name, DiffusionComponent component) => name.ToLowerInvariant() switch
    {
        "scheduler" => pipeline with { Scheduler = component },
        "text_encoder" => pipeline with { TextEncoder = component },
        "tokenizer" => pipeline with { Tokenizer = component },
        "transformer" or "unet" => pipeline with { Transformer = component },
        "vae" => pipeline with { Vae = component },
        _ => pipeline with { AdditionalComponents = pipeline.AdditionalComponents.SetItem(name, component) },
    };

    // [library, type] (further items ignored), [type], or an object; [null, null] stands for a part the pipeline does not use.
    private static DiffusionComponent? Component(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => FromArray(value),
        JsonValueKind.Object => FromObject(value),
        _ => null,
    };

    private static DiffusionComponent? FromArray(JsonElement value)
    {
        var items = value.EnumerateArray().Take(2).ToList();
        if (items.Count == 0 || items.Any(item => item.ValueKind != JsonValueKind.String)) return null;
        return items.Count == 1 ? new DiffusionComponent(null, items[0].GetString()) : new DiffusionComponent(items[0].GetString(), items[1].GetString());
    }

    private static DiffusionComponent? FromObject(JsonElement value)
    {
        var type = FirstText(value, [.. ClassNames, "type"]);
        var library = FirstText(value, ["_library", "library"]);
        return type is null && library is null ? null : new DiffusionComponent(library, type);
    }

    private static string? FirstText(JsonElement value, ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (value.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String && text.GetString() is { Length: > 0 } found) return found;
        }

        return null;
    }
}
