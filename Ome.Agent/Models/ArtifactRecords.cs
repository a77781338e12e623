using Ome.Agent.Publishing;
using Ome.Agent.Staging;
using Ome.Shared.Domain.Artifacts;
using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Models;

/// <summary>Who shares an artifact, kept where OME keeps it: in the entries of the node's ConfigMap (contract 4.9).</summary>
public sealed class ArtifactRecords(ConfigMapSink reports) : IArtifactRecords
{
    public async Task<NodeReport?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await reports.ReadAsync(cancellationToken);
        }
        catch (Exception unreachable) when (unreachable is k8s.Autorest.HttpOperationException or HttpRequestException)
        {
            return null;
        }
    }

    public Task<bool> AddChildAsync(string parentKey, string path, CancellationToken cancellationToken) =>
        ChangeAsync(parentKey, entry => ArtifactLinks.AddChild(entry, path), cancellationToken);

    public Task<bool> RemoveChildAsync(string parentKey, string path, CancellationToken cancellationToken) =>
        ChangeAsync(parentKey, entry => ArtifactLinks.RemoveChild(entry, path), cancellationToken);

    private async Task<bool> ChangeAsync(string key, Func<NodeModelEntry, NodeModelEntry> change, CancellationToken cancellationToken)
    {
        var report = await reports.ReadAsync(cancellationToken);
        if (!report.Entries.TryGetValue(key, out var item)) return true;
        if (item.Entry is null) return false;
        await reports.ChangeAsync(new Dictionary<string, EntryChange> { [key] = current => current is null ? null : change(current) }, cancellationToken);
        return true;
    }
}
