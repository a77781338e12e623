using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Ome.Shared.Domain.Models;

/// <summary>
/// Short names of instance types, e.g. <c>H100</c> (contract 4.4). A type that is not in the table is its own short name.
/// </summary>
public sealed class NodeShapes
{
    private static readonly FrozenDictionary<string, string> BuiltIn = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["BM.GPU.A10.4"] = "A10",
        ["BM.GPU.A100-v2.8"] = "A100-80G",
        ["BM.GPU4.8"] = "A100-40G",
        ["BM.GPU.B4.8"] = "A100-40G",
        ["BM.GPU.H100.8"] = "H100",
        ["BM.GPU.H100-NC.8"] = "H100",
        ["BM.GPU.H200.8"] = "H200",
        ["BM.GPU.H200-NC.8"] = "H200",
        ["BM.GPU.B200.8"] = "B200",
        ["p5.48xlarge"] = "H100",
        ["Standard_ND96isr_H100_v5"] = "H100",
        ["a3-highgpu-8g"] = "H100",
        ["gd-8xh100ib-i128"] = "H100",
        ["gd-8xh200ib-i128"] = "H200",
        ["gd-8xl40-i128"] = "L40",
        ["gpu-h100-sxm"] = "H100",
        ["gpu-h200-sxm"] = "H200",
        ["gpu-b200-sxm"] = "B200",
        ["gpu-l40s"] = "L40S",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly IReadOnlyDictionary<string, string> _aliases;

    private NodeShapes(IReadOnlyDictionary<string, string> aliases) => _aliases = aliases;

    /// <summary>The built-in table.</summary>
    public static NodeShapes Default { get; } = new(BuiltIn);

    /// <summary>Reads the text of <c>INSTANCE_TYPE_MAP</c>: a JSON object of strings; empty text or <c>{}</c> means the built-in table.</summary>
    public static bool TryParse(string? json, [NotNullWhen(true)] out NodeShapes? shapes, [NotNullWhen(false)] out string? error)
    {
        shapes = Default;
        error = null;
        if (string.IsNullOrWhiteSpace(json)) return true;
        try
        {
            using var document = JsonDocument.Parse(json);
            var aliases = new Dictionary<string, string>(StringComparer.Ordinal);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                foreach (var pair in document.RootElement.EnumerateObject())
                {
                    if (pair.Value.ValueKind != JsonValueKind.String) error = $"the value of '{pair.Name}' is not a string";
                    else aliases[pair.Name] = pair.Value.GetString()!;
                }
            }
            else
            {
                error = "it is not a JSON object";
            }

            if (error is null && aliases.Count > 0) shapes = new NodeShapes(aliases);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            error = "it is not JSON";
        }

        if (error is null) return true;
        shapes = null;
        error = $"INSTANCE_TYPE_MAP: {error}; give an object such as {{\"p5.48xlarge\":\"H100\"}}";
        return false;
    }

    /// <summary>Short name of an instance type.</summary>
    public string AliasOf(string instanceType) => _aliases.TryGetValue(instanceType, out var alias) ? alias : instanceType;

    /// <summary>
    /// The part of an object's name that must occur for a node of this shape to take it, or null when every object is taken. Engines built by
    /// TensorRT-LLM run on the GPU they were built for only.
    /// </summary>
    public string? RequiredObjectPart(ModelSpec spec, NodeFacts node) =>
        spec.FormatName == "tensorrtllm" && spec.Role == ModelSpec.DefaultRole && spec.StorageUri.StartsWith("oci://", StringComparison.Ordinal)
            ? "/" + AliasOf(node.InstanceType) + "/"
            : null;
}
