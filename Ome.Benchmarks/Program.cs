using System.Diagnostics;
using System.Runtime.InteropServices;
using Ome.Benchmarks.Verify;

namespace Ome.Benchmarks;

/// <summary>Runs benchmarks by name: <c>[name...] [--list] [--quick] [--limit SECONDS]</c>. Without a name all run, each within its time limit.</summary>
public static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is [ReadChild.Name, .. var rest]) return await ReadChild.RunAsync(rest);
        if (args.Contains("--list", StringComparer.Ordinal))
        {
            foreach (var benchmark in BenchmarkRegistry.All) Console.WriteLine($"{benchmark.Name,-12} {benchmark.About}");
            return 0;
        }

        var quick = args.Contains("--quick", StringComparer.Ordinal);
        var limitAt = Array.IndexOf(args, "--limit");
        var limit = limitAt >= 0 && limitAt + 1 < args.Length && int.TryParse(args[limitAt + 1], out var seconds) ? seconds : 0;
        var names = args.Where((arg, index) => !arg.StartsWith("--", StringComparison.Ordinal) && (limitAt < 0 || index != limitAt + 1)).ToList();
        var unknown = names.Find(name => BenchmarkRegistry.All.All(benchmark => benchmark.Name != name));
        if (unknown is not null)
        {
            await Console.Error.WriteLineAsync($"There is no benchmark '{unknown}'; --list names them all.");
            return 2;
        }

        Console.WriteLine($"{RuntimeInformation.FrameworkDescription}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSArchitecture}"
            + (quick ? ", quick" : string.Empty));
        var failed = 0;
        foreach (var benchmark in BenchmarkRegistry.All.Where(benchmark => names.Count == 0 || names.Contains(benchmark.Name)))
        {
            failed += await RunAsync(benchmark, quick, TimeSpan.FromSeconds(limit > 0 ? limit : quick ? benchmark.QuickSeconds : benchmark.Seconds)) ? 0 : 1;
        }

        return failed == 0 ? 0 : 1;
    }

    private static async Task<bool> RunAsync(BenchmarkEntry benchmark, bool quick, TimeSpan limit)
    {
        Console.WriteLine($"\n== {benchmark.Name}: {benchmark.About}");
        using var cancel = new CancellationTokenSource(limit);
        var started = Stopwatch.GetTimestamp();
        try
        {
            await benchmark.RunAsync(new BenchmarkContext(quick), cancel.Token);
            Console.WriteLine($"   done in {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");
            return true;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            Console.WriteLine($"   stopped at its limit of {limit.TotalSeconds:F0} s");
            return false;
        }
        catch (Exception exception)
        {
            Console.WriteLine($"   failed: {exception}");
            return false;
        }
    }
}
