using Ome.Shared.Domain.Aggregation;
using Ome.Shared.Domain.Models;

namespace Ome.Operator.Fleet;

/// <summary>What one node says of one model, as a colour.</summary>
public enum CellState
{
    /// <summary>The node says nothing of the model.</summary>
    None,

    /// <summary>Ready.</summary>
    Ready,

    /// <summary>Fetching.</summary>
    Updating,

    /// <summary>Files of an earlier source or path.</summary>
    Stale,

    /// <summary>Failed, not by damage.</summary>
    Failed,

    /// <summary>Confirmed damage.</summary>
    Damaged,

    /// <summary>The entry cannot be read.</summary>
    Unreadable,
}

/// <summary>One row: a model over the nodes of the page.</summary>
/// <param name="Aggregate">What all nodes say.</param>
/// <param name="Cells">One state per node of the page, in its order.</param>
public sealed record FleetRow(ModelAggregate Aggregate, IReadOnlyList<CellState> Cells);

/// <summary>Something a person should look at.</summary>
public sealed record FleetProblem(ModelKey Model, string Node, CellState State, string Reason, string Message, DateTimeOffset? Since);

/// <summary>
/// The fleet as one page shows it: a matrix of models by nodes, bounded, and what is wrong. Pure: aggregates and a query in, rows out.
/// </summary>
public sealed record FleetView
{
    /// <summary>Most nodes on one page.</summary>
    public const int NodesPerPage = 250;

    /// <summary>Most models on the page.</summary>
    public const int MaxModels = 500;

    /// <summary>Most problems listed.</summary>
    public const int MaxProblems = 500;

    /// <summary>Longest search text that is looked at.</summary>
    public const int MaxQuery = 100;

    /// <summary>The search text, trimmed and bounded.</summary>
    public required string Query { get; init; }

    /// <summary>Page of nodes, from 1.</summary>
    public required int Page { get; init; }

    /// <summary>Pages there are, at least 1.</summary>
    public required int Pages { get; init; }

    /// <summary>Nodes that match, on all pages.</summary>
    public required int NodeCount { get; init; }

    /// <summary>Models that match, also those beyond the bound.</summary>
    public required int ModelCount { get; init; }

    /// <summary>Nodes of this page, sorted ordinally.</summary>
    public required IReadOnlyList<string> Nodes { get; init; }

    /// <summary>Models, sorted by key.</summary>
    public required IReadOnlyList<FleetRow> Rows { get; init; }

    /// <summary>Problems on all pages, damage first.</summary>
    public required IReadOnlyList<FleetProblem> Problems { get; init; }

    /// <summary>Problems there are, also those beyond the bound.</summary>
    public required int ProblemCount { get; init; }

    /// <summary>Problems that are confirmed damage.</summary>
    public required int DamageCount { get; init; }

    /// <summary>Builds the view. A search text selects the models or nodes whose name holds it; all of the other side then stays.</summary>
    public static FleetView Of(IEnumerable<ModelAggregate> aggregates, string? query, int page)
    {
        var text = (query ?? string.Empty).Trim();
        if (text.Length > MaxQuery) text = text[..MaxQuery];
        var all = aggregates.OrderBy(static aggregate => aggregate.Model).ToList();
        var models = all.Where(aggregate => Holds(aggregate.Model.ToString(), text)).ToList();
        var isModelSearch = text.Length > 0 && models.Count > 0;
        if (!isModelSearch) models = all;

        var cells = models.ConvertAll(static aggregate => CellsOf(aggregate));
        var nodes = cells.SelectMany(static row => row.Keys).Distinct(StringComparer.Ordinal)
            .Where(node => isModelSearch || Holds(node, text)).Order(StringComparer.Ordinal).ToList();
        var pages = Math.Max(1, (nodes.Count + NodesPerPage - 1) / NodesPerPage);
        page = Math.Clamp(page, 1, pages);
        var shown = nodes.Skip((page - 1) * NodesPerPage).Take(NodesPerPage).ToList();
        var matching = nodes.ToHashSet(StringComparer.Ordinal);
        var problems = models.SelectMany(static aggregate => ProblemsOf(aggregate)).Where(problem => matching.Contains(problem.Node))
            .OrderByDescending(static problem => problem.State == CellState.Damaged).ThenBy(static problem => problem.Model).ThenBy(static problem => problem.Node, StringComparer.Ordinal).ToList();
        return new FleetView
        {
            Query = text,
            Page = page,
            Pages = pages,
            NodeCount = nodes.Count,
            ModelCount = models.Count,
            Nodes = shown,
            Rows = [.. models.Take(MaxModels).Select((aggregate, i) => new FleetRow(aggregate, [.. shown.Select(node => cells[i].GetValueOrDefault(node))]))],
            Problems = [.. problems.Take(MaxProblems)],
            ProblemCount = problems.Count,
            DamageCount = problems.Count(static problem => problem.State == CellState.Damaged),
        };
    }

    private static bool Holds(string name, string text) => name.Contains(text, StringComparison.OrdinalIgnoreCase);

    // Later lines win: damage says more than failed or ready.
    private static Dictionary<string, CellState> CellsOf(ModelAggregate aggregate)
    {
        var cells = new Dictionary<string, CellState>(StringComparer.Ordinal);
        foreach (var node in aggregate.NodesReady) cells[node] = CellState.Ready;
        foreach (var node in aggregate.NodesUpdating) cells[node] = CellState.Updating;
        foreach (var node in aggregate.NodesStale) cells[node] = CellState.Stale;
        foreach (var node in aggregate.NodesFailed) cells[node] = CellState.Failed;
        foreach (var node in aggregate.NodesUnreadable) cells[node.Node] = CellState.Unreadable;
        foreach (var node in aggregate.NodesDamaged) cells[node.Node] = CellState.Damaged;
        return cells;
    }

    private static IEnumerable<FleetProblem> ProblemsOf(ModelAggregate aggregate)
    {
        var damaged = aggregate.NodesDamaged.Select(static node => node.Node).ToHashSet(StringComparer.Ordinal);
        foreach (var node in aggregate.NodesDamaged) yield return new(aggregate.Model, node.Node, CellState.Damaged, node.Reason, node.Message, node.Since);
        foreach (var node in aggregate.NodesUnreadable) yield return new(aggregate.Model, node.Node, CellState.Unreadable, "EntryUnreadable", node.Error, null);
        foreach (var node in aggregate.NodesFailed)
        {
            if (!damaged.Contains(node)) yield return new(aggregate.Model, node, CellState.Failed, "Failed", "staging failed; the node's agent log says why", null);
        }
    }
}
