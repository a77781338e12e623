using System.Net;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeOps.Abstractions.Events;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Publishing;

/// <summary>
/// The condition ModelStorageDegraded of the own Node. Promises: only this condition is touched; a condition that already says so is not written, but for
/// the heartbeat of a degraded one; its transition time moves with its status alone; an Event tells of each transition.
/// </summary>
public sealed class NodeConditionSink(IKubernetes client, EventPublisher publish, string nodeName, TimeProvider time)
{
    /// <summary>Type of the condition; config/policy lets an agent change no other.</summary>
    public const string Type = "ModelStorageDegraded";

    /// <summary>The status the Node shows; null when it has no such condition.</summary>
    public static string? StatusOf(V1Node node) => Find(node)?.Status;

    /// <summary>Brings the condition to what is known; a node that is gone needs none.</summary>
    /// <exception cref="HttpOperationException">The API server refused.</exception>
    public async Task ApplyAsync(StorageHealth health, TimeSpan heartbeat, CancellationToken cancellationToken)
    {
        V1Node node;
        try
        {
            node = await client.CoreV1.ReadNodeAsync(nodeName, cancellationToken: cancellationToken);
        }
        catch (HttpOperationException gone) when (gone.Response.StatusCode == HttpStatusCode.NotFound)
        {
            return;
        }

        var present = Find(node);
        var now = time.GetUtcNow().UtcDateTime;
        var status = health.IsDegraded ? "True" : "False";
        var same = present is not null && present.Status == status && present.Reason == health.Reason && present.Message == health.Message;
        if (same && !(health.IsDegraded && now - present!.LastHeartbeatTime >= heartbeat)) return;
        var condition = new JsonObject
        {
            ["type"] = Type,
            ["status"] = status,
            ["reason"] = health.Reason,
            ["message"] = health.Message,
            ["lastHeartbeatTime"] = Text(now),
            ["lastTransitionTime"] = Text(present is { LastTransitionTime: { } since } && present.Status == status ? since : now),
        };
        // Strategic merge: conditions are merged by type, so that those of the kubelet stay as they are.
        var patch = new JsonObject { ["status"] = new JsonObject { ["conditions"] = new JsonArray(condition) } };
        await client.CoreV1.PatchNodeStatusAsync(new V1Patch(patch.ToJsonString(), V1Patch.PatchType.StrategicMergePatch), nodeName, cancellationToken: cancellationToken);
        if (health.IsDegraded && present?.Status != status) await publish(node, Type, health.Message, EventType.Warning, cancellationToken);
        else if (!health.IsDegraded && present?.Status == "True") await publish(node, "ModelStorageRecovered", health.Message, EventType.Normal, cancellationToken);
    }

    private static V1NodeCondition? Find(V1Node node) => node.Status?.Conditions?.FirstOrDefault(condition => condition.Type == Type);

    private static string Text(DateTime time) => time.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture);
}
