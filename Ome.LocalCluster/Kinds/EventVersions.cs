using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Kinds;

/// <summary>Events have two faces over one store: core/v1 (as stored) and events.k8s.io/v1.</summary>
public static class EventVersions
{
    private static readonly (string Core, string New)[] Renamed =
    [
        ("involvedObject", "regarding"), ("message", "note"), ("source", "deprecatedSource"), ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"), ("reportingComponent", "reportingController"),
    ];

    public static void ToCore(JsonObject tree)
    {
        foreach (var (core, renamed) in Renamed) Move(tree, renamed, core);
        tree["apiVersion"] = "v1";
    }

    public static void FromCore(JsonObject tree)
    {
        foreach (var (core, renamed) in Renamed) Move(tree, core, renamed);
        tree["apiVersion"] = "events.k8s.io/v1";
    }

    private static void Move(JsonObject tree, string from, string to)
    {
        if (!tree.ContainsKey(from)) return;
        var value = tree[from];
        tree.Remove(from);
        tree[to] = value;
    }
}
