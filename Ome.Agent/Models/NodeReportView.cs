using Ome.Agent.Publishing;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Models;

/// <summary>What the node's ConfigMap said when the agent started: the word of an earlier agent, ours or OME's, for models without a record.</summary>
public sealed class NodeReportView(ConfigMapSink reports)
{
    private NodeReport? _first;

    /// <summary>The report as it was first read by this process.</summary>
    public async Task<NodeReport> FirstAsync(CancellationToken cancellationToken) =>
        _first ??= await reports.ReadAsync(cancellationToken);

    /// <summary>Whether that report calls these files of this model Ready.</summary>
    public async Task<bool> SaysReadyAsync(ModelSpec spec, string destination, CancellationToken cancellationToken)
    {
        var first = await FirstAsync(cancellationToken);
        return first.Entries.TryGetValue(spec.Key.DataKey, out var item) && item.Entry is { State: NodeModelState.Ready } entry
            && new StorageIdentity(spec.StorageUri, destination).Matches(entry.StorageUri, entry.StoragePath);
    }
}
