using System.Net;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Publishing;

/// <summary>What becomes of an entry: takes the present one (null when absent or unreadable), gives the wanted one (null to remove it).</summary>
public delegate NodeModelEntry? EntryChange(NodeModelEntry? current);

/// <summary>
/// The node's ConfigMap (contract 3). Promises: only the named keys change; a write is bound to the version it was computed from, so that other writers
/// of other keys lose nothing (W6); label and annotations are there after every write (W8); an unchanged ConfigMap is not written.
/// </summary>
public sealed class ConfigMapSink(IKubernetes client, string ns, string nodeName, int tries)
{
    /// <summary>Applies all changes in one write; true when one was needed.</summary>
    /// <exception cref="HttpOperationException">The API server refused, or every try met another writer.</exception>
    public async Task<bool> ChangeAsync(IReadOnlyDictionary<string, EntryChange> changes, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await TryChangeAsync(changes, cancellationToken);
            }
            catch (HttpOperationException raced) when (raced.Response.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.NotFound && attempt < tries)
            {
                // Someone wrote, created or removed it between our read and our write: the next try starts from what is there now.
            }
        }
    }

    /// <summary>The entries as they are now; empty when there is no ConfigMap.</summary>
    public async Task<NodeReport> ReadAsync(CancellationToken cancellationToken) =>
        NodeReport.Read(nodeName, (await FindAsync(cancellationToken))?.Data);

    private async Task<bool> TryChangeAsync(IReadOnlyDictionary<string, EntryChange> changes, CancellationToken cancellationToken)
    {
        var present = await FindAsync(cancellationToken);
        var data = Changed(present?.Data, changes);
        if (present is null)
        {
            if (data.All(pair => pair.Value is null)) return false;
            await client.CoreV1.CreateNamespacedConfigMapAsync(Fresh(data), ns, cancellationToken: cancellationToken);
            return true;
        }

        var marks = MissingMarks(present);
        if (data.Count == 0 && marks.Count == 0) return false;
        marks["resourceVersion"] = present.Metadata.ResourceVersion;
        var patch = new JsonObject { ["metadata"] = marks, ["data"] = data };
        await client.CoreV1.PatchNamespacedConfigMapAsync(new V1Patch(patch.ToJsonString(), V1Patch.PatchType.MergePatch), nodeName, ns, cancellationToken: cancellationToken);
        return true;
    }

    private async Task<V1ConfigMap?> FindAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await client.CoreV1.ReadNamespacedConfigMapAsync(nodeName, ns, cancellationToken: cancellationToken);
        }
        catch (HttpOperationException absent) when (absent.Response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Only the keys whose text differs; null removes.</summary>
    private static JsonObject Changed(IDictionary<string, string>? present, IReadOnlyDictionary<string, EntryChange> changes)
    {
        var data = new JsonObject();
        foreach (var (key, change) in changes)
        {
            var text = present is not null && present.TryGetValue(key, out var found) ? found : null;
            var wanted = change(NodeReportItem.Read(text).Entry) is { } entry ? NodeReportCodec.Encode(entry) : null;
            if (wanted != text) data[key] = wanted;
        }

        return data;
    }

    private V1ConfigMap Fresh(JsonObject data) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = nodeName,
            NamespaceProperty = ns,
            Labels = new Dictionary<string, string>(NodeReport.LabelsFor(nodeName)),
            Annotations = new Dictionary<string, string>(NodeReport.AnnotationsFor(nodeName)),
        },
        Data = data.Where(pair => pair.Value is not null).ToDictionary(pair => pair.Key, pair => (string)pair.Value!),
    };

    private JsonObject MissingMarks(V1ConfigMap present)
    {
        var marks = new JsonObject();
        if (Missing(NodeReport.LabelsFor(nodeName), present.Metadata.Labels) is { } labels) marks["labels"] = labels;
        if (Missing(NodeReport.AnnotationsFor(nodeName), present.Metadata.Annotations) is { } annotations) marks["annotations"] = annotations;
        return marks;
    }

    private static JsonObject? Missing(IReadOnlyDictionary<string, string> wanted, IDictionary<string, string>? present)
    {
        var missing = wanted.Where(pair => present is null || !present.TryGetValue(pair.Key, out var value) || value != pair.Value).ToList();
        return missing.Count == 0 ? null : new JsonObject(missing.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, pair.Value)));
    }
}
