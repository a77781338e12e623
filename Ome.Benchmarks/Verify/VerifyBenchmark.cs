using System.Globalization;

namespace Ome.Benchmarks.Verify;

/// <summary>
/// The reading engine beside everything else that digests files, on the same files in the same run: whole processes, rounds interleaved
/// and shuffled, medians and ratios. Environment: OME_BENCH_DIR (default artifacts/bench below the current directory), OME_BENCH_GIB (4),
/// OME_BENCH_ROUNDS (5), OME_BENCH_PARTS (race,stat,budget), OME_BENCH_MILLION=1 adds a stat pass over a million files.
/// </summary>
internal static class VerifyBenchmark
{
    public static async Task RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var gib = Setting("OME_BENCH_GIB", context.Quick ? 1 : 4);
        var rounds = Setting("OME_BENCH_ROUNDS", context.Quick ? 2 : 5);
        var directory = Path.Combine(Environment.GetEnvironmentVariable("OME_BENCH_DIR") ?? "artifacts/bench", $"ome-verify-{Environment.ProcessId}");
        using var field = await Field.CreateAsync(directory, (long)gib << 30, cancellationToken);
        foreach (var missing in Contestant.All.Where(contestant => !contestant.IsThere))
            Console.WriteLine($"   {missing.Name}: not installed here (Debian package {missing.Package})");

        var parts = (Environment.GetEnvironmentVariable("OME_BENCH_PARTS") ?? "race,stat,budget").Split(',');
        if (parts.Contains("race", StringComparer.Ordinal)) await RaceAsync(field, rounds, cancellationToken);
        if (parts.Contains("stat", StringComparer.Ordinal)) await StatRace.RunAsync(field, context.Quick, cancellationToken);
        if (parts.Contains("budget", StringComparer.Ordinal)) await BudgetAsync(field, context.Quick ? 12 : 60, cancellationToken);
    }

    private static async Task RaceAsync(Field field, int rounds, CancellationToken cancellationToken)
    {
        await field.RunAsync(field.Agent($"manifest create {field.Directory}/files > /dev/null"), 2, cancellationToken);
        for (var cores = 1; cores <= Math.Min(2, Environment.ProcessorCount); cores++)
        {
            await new Race(field, cores, warm: true, rounds).RunAsync(cancellationToken);
            await new Race(field, cores, warm: false, rounds).RunAsync(cancellationToken);
        }
    }

    private static async Task BudgetAsync(Field field, int seconds, CancellationToken cancellationToken)
    {
        Console.WriteLine($"\n   budget of 100 MB/s for {seconds} s");
        var run = await field.RunAsync(field.Child("budget", seconds), 2, cancellationToken);
        var report = run.Report!;
        BenchmarkContext.Row("average", $"{report.Bytes / 1e6:F2} MB/s = {report.Bytes / 1e8:F3} x the budget");
        BenchmarkContext.Row("worst 5 s window", $"{report.Worst / 1e6:F2} MB/s = {report.Worst / 1e8:F3} x the budget");
        BenchmarkContext.Row("CPU", $"{100 * run.CpuSeconds / run.Seconds:F1} % of a core");
    }

    internal static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0 ? value : otherwise;
}
