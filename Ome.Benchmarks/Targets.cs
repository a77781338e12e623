namespace Ome.Benchmarks;

/// <summary>What was promised beside what this run measured; printed at the end.</summary>
internal sealed class Targets
{
    private readonly List<(string Target, string Measured, bool Met)> _rows = [];

    /// <summary>A figure that must not be smaller.</summary>
    public void AtLeast(string target, double least, double measured, string unit = "x") =>
        _rows.Add(($"{target}: at least {least:0.##} {unit}", $"{measured:F2} {unit}", measured >= least));

    /// <summary>A figure that must not be larger.</summary>
    public void AtMost(string target, double most, double measured, string unit) =>
        _rows.Add(($"{target}: at most {most:0.##} {unit}", $"{measured:F2} {unit}", measured <= most));

    public void Print()
    {
        if (_rows.Count == 0) return;
        Console.WriteLine("\n   against the targets");
        foreach (var (target, measured, met) in _rows) BenchmarkContext.Row(target, $"{measured,16}  {(met ? "reached" : "NOT REACHED")}");
    }
}
