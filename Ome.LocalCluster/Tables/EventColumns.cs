using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;

namespace Ome.LocalCluster.Tables;

/// <summary>Columns of events. Both API groups store the same object under other names: core names come first here.</summary>
internal static class EventColumns
{
    public static IReadOnlyList<TableColumn> All =>
    [
        new("Last Seen", "string", "", 0, "Time since the event was seen last.", (item, now) => LastSeen(item, now)),
        Col("Type", 0, item => BuiltInColumns.Text(item, ".type", "")),
        Col("Reason", 0, item => BuiltInColumns.Text(item, ".reason", "")),
        Col("Object", 0, Object),
        Col("Subobject", 1, item => Either(item, ".involvedObject.fieldPath", ".regarding.fieldPath", "")),
        Col("Source", 1, Source),
        Col("Message", 0, item => Either(item, ".message", ".note", "").Trim()),
        new("First Seen", "string", "", 1, "Time since the event was seen first.", (item, now) => FirstSeen(item, now)),
        Col("Count", 1, item => Count(item)),
        BuiltInColumns.Name with { Priority = 1 },
    ];

    private static TableColumn Col(string name, int priority, Func<JsonObject, JsonNode?> cell) => new(name, "string", "", priority, name, (item, _) => cell(item));

    private static JsonNode Object(JsonObject item) =>
        $"{Either(item, ".involvedObject.kind", ".regarding.kind", "").ToLowerInvariant()}/{Either(item, ".involvedObject.name", ".regarding.name", "")}";

    private static JsonNode Source(JsonObject item)
    {
        var component = Either(item, ".source.component", ".deprecatedSource.component", BuiltInColumns.Text(item, ".reportingComponent", BuiltInColumns.Text(item, ".reportingController", "")));
        var host = Either(item, ".source.host", ".deprecatedSource.host", BuiltInColumns.Text(item, ".reportingInstance", ""));
        return host.Length == 0 ? component : $"{component}, {host}";
    }

    private static long Count(JsonObject item) => (long?)JsonValues.ToDouble(Any(item, ".series.count", ".count", ".deprecatedCount")) ?? 1;

    // An event without the old time stamps has only its eventTime.
    private static string LastSeen(JsonObject item, DateTimeOffset now) =>
        Ages.Since(Any(item, ".series.lastObservedTime", ".lastTimestamp", ".deprecatedLastTimestamp", ".eventTime"), now);

    private static string FirstSeen(JsonObject item, DateTimeOffset now) => Ages.Since(Any(item, ".firstTimestamp", ".deprecatedFirstTimestamp", ".eventTime"), now);

    private static JsonNode? Any(JsonObject item, params string[] paths) => paths.Select(path => BuiltInColumns.First(item, path)).FirstOrDefault(value => value is not null);

    private static string Either(JsonObject item, string path, string other, string missing) => BuiltInColumns.Text(item, path, BuiltInColumns.Text(item, other, missing));
}
