using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Tables;

/// <summary>The columns <c>kubectl get</c> shows for one kind.</summary>
public sealed class TableColumns
{
    private TableColumns() { }

    /// <summary>Columns of a CRD version: <c>additionalPrinterColumns</c>, or Name and Age when there are none.</summary>
    public static TableColumns ForCustomResource(JsonArray? additionalPrinterColumns) => new();

    /// <summary>Columns of a built-in kind; Name and Age (or Created At) for kinds without own columns.</summary>
    public static TableColumns ForBuiltIn(string group, string kind) => new();
}

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
        ArgumentNullException.ThrowIfNull(columns);
        return new() { ["kind"] = "Table", ["apiVersion"] = "meta.k8s.io/v1", ["columnDefinitions"] = new JsonArray(), ["rows"] = new JsonArray() };
    }
}
