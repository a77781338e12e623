using System.Globalization;
using System.Text.Json.Nodes;
using Ome.Shared.Api;

namespace Ome.Operator.Reconciling;

/// <summary>A status as the JSON of a merge patch: what is empty is null, which removes it. Equal statuses give equal text.</summary>
public static class StatusJson
{
    /// <summary>The members of the stock CRD (contract 1.7): all that is compared where the others are pruned.</summary>
    public static JsonObject Core(BaseModelStatus? status) => new()
    {
        ["state"] = status?.State,
        ["nodesReady"] = List(status?.NodesReady),
        ["nodesFailed"] = List(status?.NodesFailed),
    };

    /// <summary>All members the operator writes.</summary>
    public static JsonObject Full(BaseModelStatus? status)
    {
        var json = Core(status);
        json["nodeSummary"] = status?.NodeSummary;
        json["nodesDamaged"] = status?.NodesDamaged is { Count: > 0 } damaged ? new JsonArray([.. damaged.Select(Damaged)]) : null;
        json["oldestProofTime"] = Time(status?.OldestProofTime);
        json["observedGeneration"] = status?.ObservedGeneration;
        json["conditions"] = status?.Conditions is { Count: > 0 } conditions ? new JsonArray([.. conditions.Select(Condition)]) : null;
        return json;
    }

    private static JsonArray List(List<string>? names) => [.. (names ?? []).Select(static name => (JsonNode?)name)];

    private static JsonNode Damaged(DamagedNode damaged) => new JsonObject
    {
        ["node"] = damaged.Node,
        ["reason"] = damaged.Reason,
        ["message"] = damaged.Message,
        ["since"] = Time(damaged.Since),
    };

    private static JsonNode Condition(ModelCondition condition) => new JsonObject
    {
        ["type"] = condition.Type,
        ["status"] = condition.Status,
        ["observedGeneration"] = condition.ObservedGeneration,
        ["lastTransitionTime"] = Time(condition.LastTransitionTime),
        ["reason"] = condition.Reason,
        ["message"] = condition.Message,
    };

    private static string? Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
