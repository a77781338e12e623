using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Tables;

/// <summary>Renders objects as <c>meta.k8s.io/v1 Table</c>.</summary>
public static class TableRenderer
{
    /// <summary>One table.</summary>
    /// <param name="columns">Columns of the kind.</param>
    /// <param name="items">Objects, in order.</param>
    /// <param name="listMetadata">resourceVersion, continue, remainingItemCount of the list; null for one object or a watch event.</param>
    /// <param name="includeObject">The request's includeObject: None, Metadata (also when null) or Object.</param>
    /// <param name="now">For ages.</param>
    /// <param name="withDefinitions">False from the second watch event on.</param>
    public static JsonObject Render(
        TableColumns columns, IEnumerable<JsonObject> items, JsonObject? listMetadata, string? includeObject, DateTimeOffset now, bool withDefinitions = true)
    {
        var rows = new JsonArray();
        JsonObject? only = null;
        foreach (var item in items)
        {
            only = item;
            rows.Add((JsonNode)Row(columns, item, includeObject, now));
        }
        var definitions = withDefinitions ? new JsonArray([.. columns.Columns.Select(column => column.Definition())]) : [];
        return new()
        {
            ["kind"] = "Table",
            ["apiVersion"] = "meta.k8s.io/v1",
            ["metadata"] = listMetadata?.DeepClone() ?? OfOne(only),
            ["columnDefinitions"] = definitions,
            ["rows"] = rows,
        };
    }

    private static JsonObject Row(TableColumns columns, JsonObject item, string? includeObject, DateTimeOffset now)
    {
        var row = new JsonObject { ["cells"] = new JsonArray([.. columns.Columns.Select(column => column.Cell(item, now))]) };
        switch (includeObject)
        {
            case "None": break;
            case "Object": row["object"] = item.DeepClone(); break;
            default:
                row["object"] = new JsonObject { ["kind"] = "PartialObjectMetadata", ["apiVersion"] = "meta.k8s.io/v1", ["metadata"] = item["metadata"]?.DeepClone() };
                break;
        }
        return row;
    }

    private static JsonObject OfOne(JsonObject? item) =>
        item?["metadata"]?["resourceVersion"] is { } version ? new() { ["resourceVersion"] = version.DeepClone() } : [];
}
