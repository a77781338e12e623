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

    /// <summary>Awaited in the middle of every operation: what others do meanwhile.</summary>
    public Func<Task> Meanwhile { get; set; } = static () => Task.CompletedTask;

    public NodeModelEntry? this[string key]
    {
        get
        {
            lock (_lock) return Data.TryGetValue(key, out var text) && NodeReportCodec.TryDecode(text, out var entry, out _) ? entry : null;
        }
    }

    public void SetReady(ModelKey key, ReportedArtifact artifact)
    {
        lock (_lock) Data[key.DataKey] = NodeReportCodec.Encode(NodeModelEntry.Of(key.Name, NodeModelState.Ready) with { Config = new ReportedConfig { Artifact = artifact } });
    }

    public async Task<NodeReport?> ReadAsync(CancellationToken cancellationToken)
    {
        await Meanwhile();
        NodeReport? report;
        lock (_lock) report = IsUnreadable ? null : NodeReport.Read("node", Data);
        await Meanwhile();
        return report;
    }

    public Task<bool> AddChildAsync(string parentKey, string path, CancellationToken cancellationToken) =>
        Change(parentKey, entry => ArtifactLinks.AddChild(entry, path));

    public Task<bool> RemoveChildAsync(string parentKey, string path, CancellationToken cancellationToken) =>
        Change(parentKey, entry => ArtifactLinks.RemoveChild(entry, path));

    private async Task<bool> Change(string key, Func<NodeModelEntry, NodeModelEntry> change)
    {
        await Meanwhile();
        lock (_lock)
        {
            if (!Data.TryGetValue(key, out var text)) return true;
            if (!NodeReportCodec.TryDecode(text, out var entry, out _)) return false;
            Data[key] = NodeReportCodec.Encode(change(entry));
            return true;
        }
    }
}
