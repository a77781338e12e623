using System.Globalization;

namespace Ome.Benchmarks.Verify;

/// <summary>
/// The reading engine beside everything else that digests files, on the same files in the same run: whole processes, rounds interleaved
/// and shuffled, medians, and medians of the ratios of each round. Environment: OME_BENCH_DIR (default artifacts/bench below the current directory), OME_BENCH_GIB (4),
/// OME_BENCH_ROUNDS (3), OME_BENCH_PARTS (race,find,stat,budget,start; disk alone is the cold part of race without other tools), OME_BENCH_MILLION=1 adds a Basic check of a million files.
/// </summary>
internal static class VerifyBenchmark
{
    public static async Task RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var gib = Setting("OME_BENCH_GIB", context.Quick ? 1 : 4);
        var rounds = Setting("OME_BENCH_ROUNDS", context.Quick ? 2 : 3);
        var directory = Path.Combine(Environment.GetEnvironmentVariable("OME_BENCH_DIR") ?? "artifacts/bench", $"ome-verify-{Environment.ProcessId}");
        using var field = await Field.CreateAsync(directory, (long)gib << 30, cancellationToken);
        foreach (var missing in Contestant.All.Where(contestant => !contestant.IsThere))
            Console.WriteLine($"   {missing.Name}: not installed here (Debian package {missing.Package})");

        var parts = (Environment.GetEnvironmentVariable("OME_BENCH_PARTS") ?? "race,find,stat,budget,start").Split(',');
        var targets = new Targets();
        await field.RunAsync(field.Agent($"manifest create {field.Directory}/files > /dev/null"), 2, cancellationToken);
        if (parts.Contains("race", StringComparer.Ordinal)) await RaceAsync(field, rounds, targets, cancellationToken);
        if (parts.Contains("disk", StringComparer.Ordinal))
        {
            for (var cores = 1; cores <= Math.Min(2, Environment.ProcessorCount); cores++)
                await new Race(field, cores, warm: false, rounds, targets) { DiskOnly = true }.RunAsync(cancellationToken);
        }

        if (parts.Contains("find", StringComparer.Ordinal)) await new FindRace(field, context.Quick ? 1 : 3, targets).RunAsync(cancellationToken);
        if (parts.Contains("stat", StringComparer.Ordinal)) await StatRace.RunAsync(field, context.Quick, targets, cancellationToken);
        if (parts.Contains("budget", StringComparer.Ordinal)) await BudgetAsync(field, context.Quick ? 12 : 60, targets, cancellationToken);
        if (parts.Contains("start", StringComparer.Ordinal)) await StartAsync(field, context.Quick ? 5 : 15, targets, cancellationToken);
        targets.Print();
    }

    private static async Task RaceAsync(Field field, int rounds, Targets targets, CancellationToken cancellationToken)
    {
        double? openSsl = null;
        for (var cores = 1; cores <= Math.Min(2, Environment.ProcessorCount); cores++)
        {
            var race = new Race(field, cores, warm: true, rounds, targets);
            await race.RunAsync(cancellationToken);
            if (cores == 1) openSsl = race.OpenSslSeconds;
            else if (openSsl is { } one) targets.AtLeast("warm: SHA-256 on 2 cores of openssl's rate on one", 1.85, one / race.Sha256Seconds);
            await new Race(field, cores, warm: false, rounds, targets).RunAsync(cancellationToken);
        }
    }

    /// <summary>What a small directory costs: start-up, one file, its manifest.</summary>
    private static async Task StartAsync(Field field, int rounds, Targets targets, CancellationToken cancellationToken)
    {
        var small = Directory.CreateDirectory($"{field.Directory}/small").FullName;
        await File.WriteAllTextAsync($"{small}/config.json", "{}", cancellationToken);
        await field.RunAsync(field.Agent($"manifest create {small} > /dev/null"), 2, cancellationToken);
        var runs = new List<Run>();
        for (var round = 0; round < rounds; round++) runs.Add(await field.RunAsync(field.Agent($"verify {small} > /dev/null"), 2, cancellationToken));
        Console.WriteLine("\n   ome-agent verify of one small file, whole process, 2 core(s)");
        var seconds = runs.Select(run => run.Seconds).Order().ElementAt(rounds / 2);
        BenchmarkContext.Row("median", $"{seconds * 1000:F0} ms, {runs.Select(run => run.CpuSeconds).Order().ElementAt(rounds / 2) * 1000:F0} ms of CPU");
        targets.AtMost("ome-agent verify of a small directory", 0.25, seconds, "s");
    }

    private static async Task BudgetAsync(Field field, int seconds, Targets targets, CancellationToken cancellationToken)
    {
        Console.WriteLine($"\n   budget of 100 MB/s for {seconds} s");
        var run = await field.RunAsync(field.Child("budget", seconds), 2, cancellationToken);
        var report = run.Report!;
        BenchmarkContext.Row("average", $"{report.Bytes / 1e6:F2} MB/s = {report.Bytes / 1e8:F3} x the budget");
        BenchmarkContext.Row("worst 5 s window", $"{report.Worst / 1e6:F2} MB/s = {report.Worst / 1e8:F3} x the budget");
        targets.AtMost($"budget of 100 MB/s over {seconds} s", 1.05, report.Bytes / 1e8, "x");
        targets.AtLeast($"budget of 100 MB/s over {seconds} s", 0.95, report.Bytes / 1e8);
        BenchmarkContext.Row("CPU", $"{100 * run.CpuSeconds / run.Seconds:F1} % of a core");
    }

    internal static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0 ? value : otherwise;
}
