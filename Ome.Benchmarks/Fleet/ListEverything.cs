using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Benchmarks.Fleet;

/// <summary>
/// What OME's controllers do with a changed node ConfigMap (contract 7): every model it names is reconciled, and each reconciliation reads the
/// model, lists all node ConfigMaps, gets the Node of each and folds. Its calls are counted as calls, whether or not a client's cache would answer some.
/// </summary>
internal sealed class ListEverything(IKubernetes client, string ns)
{
    /// <summary>Calls so far.</summary>
    public int Requests { get; private set; }

    /// <summary>One changed ConfigMap (contract 7.5): keys with unparsable JSON wake nobody.</summary>
    public async Task OnConfigMapAsync(V1ConfigMap map, CancellationToken cancellationToken)
    {
        foreach (var (key, text) in map.Data)
        {
            if (ModelKey.TryParseDataKey(key, out var model) && NodeReportCodec.TryDecode(text, out _, out _)) await ReconcileAsync(model, cancellationToken);
        }
    }

    /// <summary>One model (contract 7.1 to 7.3); the finalizer and the spec are there already.</summary>
    public async Task ReconcileAsync(ModelKey model, CancellationToken cancellationToken)
    {
        var found = await GetAsync(model, cancellationToken);
        var (ready, failed) = await FoldAsync(model, cancellationToken);
        if (IsSame(found.Status, ready, failed)) return;
        // A fresh object for the write, as it does.
        found = await GetAsync(model, cancellationToken);
        found.Status = new BaseModelStatus { State = ready.Count > 0 ? "Ready" : failed.Count > 0 ? "Failed" : "In_Transit", NodesReady = ready, NodesFailed = failed };
        Requests++;
        await client.CustomObjects.ReplaceClusterCustomObjectStatusAsync(found, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, model.Name, cancellationToken: cancellationToken);
    }

    private async Task<(List<string> Ready, List<string> Failed)> FoldAsync(ModelKey model, CancellationToken cancellationToken)
    {
        Requests++;
        var maps = await client.CoreV1.ListNamespacedConfigMapAsync(ns, labelSelector: OmeNames.ReportSelector, cancellationToken: cancellationToken);
        var (ready, failed) = (new List<string>(), new List<string>());
        foreach (var map in maps.Items)
        {
            if (!await HasNodeAsync(map.Name(), cancellationToken) || map.Data?.TryGetValue(model.DataKey, out var text) != true) continue;
            if (!NodeReportCodec.TryDecode(text, out var entry, out _)) continue;
            if (entry.State == NodeModelState.Ready) ready.Add(map.Name());
            else if (entry.State == NodeModelState.Failed) failed.Add(map.Name());
        }

        ready.Sort(StringComparer.Ordinal);
        failed.Sort(StringComparer.Ordinal);
        return (ready, failed);
    }

    private async Task<bool> HasNodeAsync(string name, CancellationToken cancellationToken)
    {
        Requests++;
        try
        {
            await client.CoreV1.ReadNodeAsync(name, cancellationToken: cancellationToken);
            return true;
        }
        catch (HttpOperationException trouble) when (trouble.Response?.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    private Task<ClusterBaseModel> GetAsync(ModelKey model, CancellationToken cancellationToken)
    {
        Requests++;
        return client.CustomObjects.GetClusterCustomObjectAsync<ClusterBaseModel>(OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, model.Name, cancellationToken);
    }

    private static bool IsSame(BaseModelStatus? status, List<string> ready, List<string> failed) =>
        ready.SequenceEqual(status?.NodesReady ?? [], StringComparer.Ordinal) && failed.SequenceEqual(status?.NodesFailed ?? [], StringComparer.Ordinal);
}
