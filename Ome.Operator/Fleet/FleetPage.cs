using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Ome.Shared.Domain.Aggregation;

namespace Ome.Operator.Fleet;

/// <summary>The fleet as HTML. Complete without script; the script only filters while one types. Everything from the cluster is encoded.</summary>
public static class FleetPage
{
    private static readonly HtmlEncoder Html = HtmlEncoder.Default;

    /// <summary>Renders the page.</summary>
    /// <param name="view">What to show.</param>
    /// <param name="isLeader">A replica that stands by knows no models.</param>
    /// <param name="now">For ages.</param>
    public static string Render(FleetView view, bool isLeader, DateTimeOffset now)
    {
        var page = new StringBuilder(64 << 10);
        page.Append("""
            <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
            <title>Ome fleet</title><link rel="stylesheet" href="fleet.css"><script src="fleet.js" defer></script></head><body>
            <header><h1>Ome fleet</h1><form method="get" action="./"><label>Search <input type="search" name="q" placeholder="model or node" autofocus
            """);
        page.Append(" value=\"").Append(Html.Encode(view.Query)).Append("\"></label> <button>Show</button></form><p class=\"sum\">");
        Text(page, $"{Count(view.ModelCount, "model")}, {Count(view.NodeCount, "node")}, {Count(view.ProblemCount, "problem")}, {view.DamageCount} of them damage; as of {now.UtcDateTime:HH:mm:ss} UTC");
        page.Append("</p></header>");
        if (!isLeader) page.Append("""<p class="note">This replica stands by and does not follow models; the page of the leader shows them.</p>""");
        Legend(page);
        Pager(page, view);
        Matrix(page, view, now);
        Problems(page, view, now);
        return page.Append("</body></html>").ToString();
    }

    private static void Legend(StringBuilder page)
    {
        page.Append("""<ul class="legend">""");
        foreach (var state in new[] { CellState.Ready, CellState.Updating, CellState.Stale, CellState.Failed, CellState.Damaged, CellState.Unreadable, CellState.None })
        {
            page.Append("<li><b class=\"").Append(Class(state)).Append("\"></b> ").Append(state == CellState.None ? "not on this node" : Word(state)).Append("</li>");
        }

        page.Append("</ul>");
    }

    private static void Pager(StringBuilder page, FleetView view)
    {
        if (view.Pages == 1) return;
        page.Append("<nav>Nodes, page ");
        for (var i = 1; i <= view.Pages; i++)
        {
            if (i == view.Page) page.Append("<strong>").Append(i).Append("</strong> ");
            else page.Append("<a href=\"?page=").Append(i).Append("&amp;q=").Append(Html.Encode(Uri.EscapeDataString(view.Query))).Append("\">").Append(i).Append("</a> ");
        }

        page.Append("</nav>");
    }

    private static void Matrix(StringBuilder page, FleetView view, DateTimeOffset now)
    {
        page.Append("""<div class="scroll"><table class="matrix" id="matrix"><thead><tr><th>Model</th><th>State</th><th>Ready</th><th>Damaged</th><th>Oldest proof</th>""");
        foreach (var node in view.Nodes)
        {
            page.Append("<th class=\"n\" title=\"");
            Text(page, node).Append("\"><span>");
            Text(page, node).Append("</span></th>");
        }

        page.Append("</tr></thead><tbody>");
        foreach (var row in view.Rows)
        {
            var aggregate = row.Aggregate;
            page.Append("<tr><th scope=\"row\">");
            Text(page, aggregate.Model.ToString()).Append("</th><td><b class=\"").Append(Class(StateOf(aggregate))).Append("\"></b> ");
            Text(page, State(aggregate)).Append("</td><td>");
            Text(page, aggregate.NodeSummary).Append("</td><td>");
            if (aggregate.NodesDamaged.Count > 0) page.Append("<strong>").Append(aggregate.NodesDamaged.Count).Append("</strong>");
            page.Append("</td><td>");
            Text(page, aggregate.OldestProof is { } proof ? Age(now - proof) + " ago" : "—").Append("</td>");
            for (var i = 0; i < row.Cells.Count; i++) Cell(page, view.Nodes[i], row.Cells[i]);
            page.Append("</tr>");
        }

        page.Append("</tbody></table></div>");
        if (view.ModelCount > view.Rows.Count) Text(page.Append("<p class=\"note\">"), $"{view.ModelCount - view.Rows.Count} more models; search for them").Append("</p>");
    }

    // Only what stands out says its name: a thousand nodes times "ready" would be most of the page.
    private static void Cell(StringBuilder page, string node, CellState cell)
    {
        page.Append("<td class=\"c ").Append(Class(cell)).Append('"');
        if (cell is not (CellState.Ready or CellState.None)) Text(page.Append(" title=\""), $"{node}: {Word(cell)}").Append('"');
        page.Append("></td>");
    }

    private static void Problems(StringBuilder page, FleetView view, DateTimeOffset now)
    {
        page.Append("<h2>Problems</h2>");
        if (view.ProblemCount == 0)
        {
            page.Append("<p>None.</p>");
            return;
        }

        page.Append("""<table class="problems" id="problems"><thead><tr><th>Model</th><th>Node</th><th>State</th><th>Reason</th><th>What was found</th><th>Since</th></tr></thead><tbody>""");
        foreach (var problem in view.Problems)
        {
            page.Append("<tr><td>");
            Text(page, problem.Model.ToString()).Append("</td><td>");
            Text(page, problem.Node).Append("</td><td><b class=\"").Append(Class(problem.State)).Append("\"></b> ").Append(Word(problem.State)).Append("</td><td>");
            Text(page, problem.Reason).Append("</td><td>");
            Text(page, problem.Message).Append("</td><td>");
            Text(page, problem.Since is { } since ? Age(now - since) + " ago" : "—").Append("</td></tr>");
        }

        page.Append("</tbody></table>");
        if (view.ProblemCount > view.Problems.Count) Text(page.Append("<p class=\"note\">"), $"{view.ProblemCount - view.Problems.Count} more; search for a model or node").Append("</p>");
    }

    private static string State(ModelAggregate aggregate) => aggregate.State switch
    {
        ModelState.Ready => "Ready",
        ModelState.Failed => "Failed",
        _ => "In transit",
    };

    private static CellState StateOf(ModelAggregate aggregate) => aggregate.State switch
    {
        ModelState.Ready => CellState.Ready,
        ModelState.Failed => CellState.Failed,
        _ => CellState.Updating,
    };

    private static string Count(int count, string noun) => count == 1 ? "1 " + noun : string.Create(CultureInfo.InvariantCulture, $"{count} {noun}s");

    private static string Word(CellState state) => state switch
    {
        CellState.Stale => "earlier source",
        _ => state.ToString().ToLowerInvariant(),
    };

    private static string Class(CellState state) => state switch
    {
        CellState.Ready => "r",
        CellState.Updating => "u",
        CellState.Stale => "s",
        CellState.Failed => "f",
        CellState.Damaged => "d",
        CellState.Unreadable => "x",
        _ => "o",
    };

    private static string Age(TimeSpan age) => age switch
    {
        { TotalSeconds: < 0 } => "0 s",
        { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{age.TotalSeconds:F0} s"),
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{age.TotalMinutes:F0} min"),
        { TotalDays: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{age.TotalHours:F0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{age.TotalDays:F0} d"),
    };

    private static StringBuilder Text(StringBuilder page, string text) => page.Append(Html.Encode(text));
}
