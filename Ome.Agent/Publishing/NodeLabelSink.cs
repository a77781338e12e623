using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Publishing;

/// <summary>The node's model labels (contract 2.3, 4.6): what schedules serving pods. All changes go in one patch; labels that are right are not written.</summary>
public sealed class NodeLabelSink(IKubernetes client, string nodeName, int tries)
{
    private const string MakeLabels = """{"op":"add","path":"/metadata/labels","value":{}}""";

    /// <summary>Brings the labels to the wanted states; a node that is gone needs none (contract K27).</summary>
    /// <exception cref="HttpOperationException">The API server refused.</exception>
    public async Task ApplyAsync(IReadOnlyDictionary<ModelKey, NodeModelState> wanted, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var node = await client.CoreV1.ReadNodeAsync(nodeName, cancellationToken: cancellationToken);
                if (PatchFor(node, wanted) is not { } patch) return;
                await client.CoreV1.PatchNodeAsync(new V1Patch(patch, V1Patch.PatchType.JsonPatch), nodeName, cancellationToken: cancellationToken);
                return;
            }
            catch (HttpOperationException gone) when (gone.Response.StatusCode == HttpStatusCode.NotFound)
            {
                return;
            }
            catch (HttpOperationException raced)
                when (raced.Response.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest && attempt < tries)
            {
                // A label we meant to remove went meanwhile: the next try starts from what is there now.
            }
        }
    }

    /// <summary>One JSON Patch for all labels that differ; null when none does.</summary>
    internal static string? PatchFor(V1Node node, IReadOnlyDictionary<ModelKey, NodeModelState> wanted)
    {
        var labels = node.Metadata.Labels;
        var operations = wanted.OrderBy(pair => pair.Key)
            .Select(pair => NodeLabelPatch.For(pair.Key, pair.Value, labels is not null && labels.TryGetValue(pair.Key.LabelKey, out var current) ? current : null))
            .OfType<string>().Select(patch => patch[1..^1]).ToList();
        if (operations.Count == 0) return null;
        if (labels is null) operations.Insert(0, MakeLabels);
        return $"[{string.Join(',', operations)}]";
    }
}
