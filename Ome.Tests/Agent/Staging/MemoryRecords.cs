using Ome.Agent.Staging;
using Ome.Shared.Domain.Artifacts;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Tests.Agent.Staging;

/// <summary>A node report in memory, as the ConfigMap would hold it: texts by key.</summary>
public sealed class MemoryRecords : IArtifactRecords
{
    private readonly Lock _lock = new();

    public Dictionary<string, string> Data { get; } = new(StringComparer.Ordinal);

    /// <summary>The ConfigMap cannot be read.</summary>
    public bool IsUnreadable { get; set; }

    public NodeModelEntry? this[string key] => Data.TryGetValue(key, out var text) && NodeReportCodec.TryDecode(text, out var entry, out _) ? entry : null;

    public void SetReady(ModelKey key, ReportedArtifact artifact) =>
        Data[key.DataKey] = NodeReportCodec.Encode(NodeModelEntry.Of(key.Name, NodeModelState.Ready) with { Config = new ReportedConfig { Artifact = artifact } });

    public Task<NodeReport?> ReadAsync(CancellationToken cancellationToken)
    {
        lock (_lock) return Task.FromResult(IsUnreadable ? null : NodeReport.Read("node", Data));
    }

    public Task<bool> AddChildAsync(string parentKey, string path, CancellationToken cancellationToken) =>
        Change(parentKey, entry => ArtifactLinks.AddChild(entry, path));

    public Task<bool> RemoveChildAsync(string parentKey, string path, CancellationToken cancellationToken) =>
        Change(parentKey, entry => ArtifactLinks.RemoveChild(entry, path));

    private Task<bool> Change(string key, Func<NodeModelEntry, NodeModelEntry> change)
    {
        lock (_lock)
        {
            if (!Data.TryGetValue(key, out var text)) return Task.FromResult(true);
            if (!NodeReportCodec.TryDecode(text, out var entry, out _)) return Task.FromResult(false);
            Data[key] = NodeReportCodec.Encode(change(entry));
            return Task.FromResult(true);
        }
    }
}
