namespace Ome.Shared.Domain.Models;

/// <summary>What placement needs to know of a node, as plain values.</summary>
public sealed record NodeFacts
{
    /// <summary>Name of the Node object.</summary>
    public required string Name { get; init; }

    /// <summary>Labels of the Node object.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The instance type the cloud gave the node, or empty (contract 2.1).</summary>
    public string InstanceType =>
        Labels.TryGetValue(OmeNames.InstanceTypeLabel, out var current) && current.Length > 0 ? current
        : Labels.TryGetValue(OmeNames.InstanceTypeLabelOld, out var former) ? former
        : string.Empty;
}
