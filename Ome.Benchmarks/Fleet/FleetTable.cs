using System.Globalization;

namespace Ome.Benchmarks.Fleet;

/// <summary>The figures of all fleet sizes side by side, each with what it should be. Rows keep the order in which they were first set.</summary>
internal sealed class FleetTable(IReadOnlyList<int> sizes)
{
    private readonly List<(string What, string Target)> _rows = [];
    private readonly Dictionary<(string What, int Nodes), string> _figures = [];

    public void Set(int nodes, string what, string target, string figure)
    {
        if (!_rows.Exists(row => row.What == what)) _rows.Add((what, target));
        _figures[(what, nodes)] = figure;
        Console.WriteLine($"   {nodes,5} nodes: {what}: {figure}");
    }

    public void Print()
    {
        string[] head = ["", "target", .. sizes.Select(static size => size.ToString("N0", CultureInfo.InvariantCulture) + " nodes")];
        List<string[]> lines = [head, .. _rows.Select(row => (string[])[row.What, row.Target, .. sizes.Select(size => _figures.GetValueOrDefault((row.What, size), "-"))])];
        var widths = Enumerable.Range(0, head.Length).Select(column => lines.Max(line => line[column].Length)).ToList();
        Console.WriteLine();
        foreach (var line in lines) Console.WriteLine("   " + string.Join("  ", line.Select((cell, column) => column < 2 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))));
    }
}
