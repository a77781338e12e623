using System.Diagnostics;

namespace Ome.Benchmarks;

/// <summary>What a benchmark gets: how long to look, and how to measure and print.</summary>
/// <param name="Quick">A short run, to see that it works; its figures are rough.</param>
public sealed record BenchmarkContext(bool Quick)
{
    /// <summary>
    /// Seconds per call of <paramref name="action"/>: the best of several batches, each long enough for the clock, after warming up. The best,
    /// because on a shared machine whatever comes on top is somebody else's.
    /// </summary>
    public double SecondsPerCall(Action action, CancellationToken cancellationToken)
    {
        var batch = TimeSpan.FromMilliseconds(Quick ? 20 : 100);
        var warm = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(warm) < (Quick ? TimeSpan.FromMilliseconds(200) : TimeSpan.FromSeconds(1))) action();
        long calls = 1;
        for (; ; calls *= 2)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Time(action, calls) >= batch) break;
        }

        var samples = new double[Quick ? 5 : 15];
        for (var i = 0; i < samples.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            samples[i] = Time(action, calls).TotalSeconds / calls;
        }

        return samples.Min();
    }

    /// <summary>Bytes this thread allocates per call of <paramref name="action"/>.</summary>
    public static double BytesPerCall(Action action, int calls = 200)
    {
        action();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < calls; i++) action();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / (double)calls;
    }

    /// <summary>The checkout the benchmark runs from: config/crd is needed.</summary>
    public static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Ome.sln"))) directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("Run it from a checkout: config/crd is needed.");
    }

    /// <summary>The agent that is measured: OME_BENCH_AGENT, else the one of the image (<c>make native</c>), else the one on .NET.</summary>
    public static string AgentProgram()
    {
        var native = Path.Combine(RepositoryRoot(), "artifacts/native/ome-agent");
        return Environment.GetEnvironmentVariable("OME_BENCH_AGENT") is { Length: > 0 } named ? named : File.Exists(native) ? native : Path.Combine(AppContext.BaseDirectory, "ome-agent");
    }

    /// <summary>Prints one row.</summary>
    public static void Row(string what, string figure) => Console.WriteLine($"   {what,-58} {figure}");

    private static TimeSpan Time(Action action, long calls)
    {
        var started = Stopwatch.GetTimestamp();
        for (long i = 0; i < calls; i++) action();
        return Stopwatch.GetElapsedTime(started);
    }
}
