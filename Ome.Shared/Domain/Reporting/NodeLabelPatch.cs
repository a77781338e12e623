using System.Text.Encodings.Web;
using System.Text.Json;
using Ome.Shared.Domain.Models;

namespace Ome.Shared.Domain.Reporting;

/// <summary>The JSON Patch that brings a model's label on a Node to the wanted value (contract 4.6).</summary>
public static class NodeLabelPatch
{
    /// <summary>Media type of the patch.</summary>
    public const string ContentType = "application/json-patch+json";

    /// <summary>The patch, or null when nothing is to do (contract K24 to K26).</summary>
    /// <param name="model">Whose label.</param>
    /// <param name="wanted">Deleted and Unknown mean: no label.</param>
    /// <param name="current">Value of the label now, or null when absent.</param>
    public static string? For(ModelKey model, NodeModelState wanted, string? current)
    {
        var value = wanted is NodeModelState.Deleted or NodeModelState.Unknown ? null : wanted.ToWire();
        if (value == current) return null;
        // A model key holds no character that JSON or the pointer would escape, except the slash of the prefix.
        var path = "/metadata/labels/" + model.LabelKey.Replace("/", "~1", StringComparison.Ordinal);
        var quoted = JsonEncodedText.Encode(path, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
        return value is null
            ? $$"""[{"op":"remove","path":"{{quoted}}"}]"""
            : $$"""[{"op":"add","path":"{{quoted}}","value":"{{value}}"}]""";
    }
}
