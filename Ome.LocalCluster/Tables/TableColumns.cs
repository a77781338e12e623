using System.Text.Json;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;

namespace Ome.LocalCluster.Tables;

/// <summary>One column: its header and how a cell is read from an object.</summary>
/// <param name="Name">Header; kubectl shows it in capitals.</param>
/// <param name="Type">OpenAPI type, or <c>date</c>.</param>
/// <param name="Format"><c>name</c> for the column that identifies the row.</param>
/// <param name="Priority">0: always shown; above: only with <c>-o wide</c>.</param>
/// <param name="Description">Shown by nothing but documentation.</param>
/// <param name="Cell">The value; null shows as <c>&lt;none&gt;</c>.</param>
internal sealed record TableColumn(string Name, string Type, string Format, int Priority, string Description, Func<JsonObject, DateTimeOffset, JsonNode?> Cell)
{
    public JsonObject Definition() => new() { ["name"] = Name, ["type"] = Type, ["format"] = Format, ["description"] = Description, ["priority"] = Priority };
}

/// <summary>The columns <c>kubectl get</c> shows for one kind.</summary>
public sealed class TableColumns
{
    private TableColumns(IReadOnlyList<TableColumn> columns) => Columns = columns;

    internal IReadOnlyList<TableColumn> Columns { get; }

    /// <summary>Columns of a CRD version: <c>additionalPrinterColumns</c>, or Name and Age when there are none.</summary>
    /// <exception cref="FormatException">A jsonPath cannot be read.</exception>
    public static TableColumns ForCustomResource(JsonArray? additionalPrinterColumns)
    {
        var columns = new List<TableColumn> { BuiltInColumns.Name };
        foreach (var column in additionalPrinterColumns?.OfType<JsonObject>() ?? []) columns.Add(Custom(column));
        if (columns.Count == 1) columns.Add(BuiltInColumns.Age);
        return new(columns);
    }

    /// <summary>Columns of a built-in kind; Name and Created At for kinds without own columns.</summary>
    public static TableColumns ForBuiltIn(string group, string kind) => new(BuiltInColumns.Of(group, kind));

    private static TableColumn Custom(JsonObject column)
    {
        var path = JsonPath.Parse((string)column["jsonPath"]!);
        var type = (string)column["type"]!;
        var description = column["description"]?.GetValue<string>() ?? $"Custom resource definition column (in JSONPath format): {path.Text}";
        return new((string)column["name"]!, type, column["format"]?.GetValue<string>() ?? "", (int?)column["priority"] ?? 0, description, (resource, now) => Cell(path, type, resource, now));
    }

    // A column shows one value: the first one the path leads to.
    private static JsonNode? Cell(JsonPath path, string type, JsonObject resource, DateTimeOffset now)
    {
        if (path.Find(resource) is not [{ } value, ..]) return null;
        var kind = value.GetValueKind();
        return type switch
        {
            "string" => kind == JsonValueKind.String ? value.GetValue<string>() : JsonValues.Canonical(value),
            "integer" => (long?)JsonValues.ToDouble(value),
            "number" => kind == JsonValueKind.Number ? value.DeepClone() : null,
            "boolean" => kind is JsonValueKind.True or JsonValueKind.False ? value.DeepClone() : null,
            "date" => kind == JsonValueKind.String ? Ages.Since(value, now) : null,
            _ => null,
        };
    }
}
