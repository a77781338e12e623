using System.Globalization;

namespace Ome.Benchmarks.Fleet;

/// <summary>The figures of all fleet sizes side by side; rows keep the order in which they were first set. Below it, what was promised beside what was measured.</summary>
internal sealed class FleetTable(IReadOnlyList<int> sizes)
{
    private readonly List<string> _rows = [];
    private readonly Dictionary<(string What, int Nodes), string> _figures = [];
    private readonly Dictionary<(string What, int Nodes), double> _values = [];
    private readonly Targets _targets = new();

    public void Set(int nodes, string what, string figure)
    {
        if (!_rows.Contains(what)) _rows.Add(what);
        _figures[(what, nodes)] = figure;
        Console.WriteLine($"   {nodes,5} nodes: {what}: {figure}");
    }

    public void Set(int nodes, string what, double value, string unit, string format = "F2")
    {
        _values[(what, nodes)] = value;
        Set(nodes, $"{what}, {unit}", value.ToString(format, CultureInfo.InvariantCulture));
    }

    /// <summary>A figure that must not be larger; at one size of the fleet, or at each.</summary>
    public void SetAtMost(int nodes, string what, double most, double value, string unit, int? at = null, string format = "F2")
    {
        Set(nodes, what, value, unit, format);
        if (at is null || at == nodes) _targets.AtMost($"{nodes.ToString("N0", CultureInfo.InvariantCulture)} nodes: {what}", most, value, unit);
    }

    /// <summary>A figure that must not grow with the fleet: the largest against the smallest one.</summary>
    public void Constant(string what, double most)
    {
        if (sizes.Count < 2 || !_values.TryGetValue((what, sizes.Min()), out var small) || !_values.TryGetValue((what, sizes.Max()), out var large)) return;
        _targets.AtMost($"{what}, {sizes.Max():N0} nodes against {sizes.Min():N0}", most, large / small, "x");
    }

    public void Print()
    {
        string[] head = ["", .. sizes.Select(static size => size.ToString("N0", CultureInfo.InvariantCulture) + " nodes")];
        List<string[]> lines = [head, .. _rows.Select(row => (string[])[row, .. sizes.Select(size => _figures.GetValueOrDefault((row, size), "-"))])];
        var widths = Enumerable.Range(0, head.Length).Select(column => lines.Max(line => line[column].Length)).ToList();
        Console.WriteLine();
        foreach (var line in lines) Console.WriteLine("   " + string.Join("  ", line.Select((cell, column) => column < 1 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))));
        _targets.Print();
    }
}
