namespace Ome.Benchmarks.Verify;

/// <summary>A Basic check of very many small files against their manifest, beside what people use to walk a tree.</summary>
internal static class StatRace
{
    private const int PerDirectory = 1000;
    private const string Basic = "ome-agent verify --basic";

    public static async Task RunAsync(Field field, bool quick, Targets targets, CancellationToken cancellationToken)
    {
        var perFile = 0.0;
        int[] counts = quick ? [10_000] : VerifyBenchmark.Setting("OME_BENCH_MILLION", 0) == 1 ? [100_000, 1_000_000] : [100_000];
        foreach (var count in counts)
        {
            var tree = $"{field.Directory}/tree-{count}";
            Grow(tree, count, cancellationToken);
            await field.RunAsync(field.Agent($"manifest create {tree} > /dev/null"), 2, cancellationToken);
            Console.WriteLine($"\n   Basic, {count:N0} files in {count / PerDirectory:N0} directories, warm, whole processes, 1 core");
            (string Name, string Command)[] contestants =
            [
                (Basic, field.Child("basic", 1, tree)), ("ome stat pass alone", field.Child("stat", 1, tree)), ("find -printf", $"find {tree} -printf '%s %T@ %C@ %i\\n' > /dev/null"), ("du -s", $"du -s {tree}"),
            ];
            var runs = contestants.ToDictionary(contestant => contestant.Name, _ => new List<Run>());
            for (var round = 0; round < (quick ? 3 : 7); round++)
            {
                foreach (var (name, command) in contestants) runs[name].Add(await field.RunAsync(command, 1, cancellationToken));
            }

            Directory.Delete(tree, recursive: true);
            Judge(count, runs[Basic], ref perFile, targets);
            var find = Median(runs["find -printf"]);
            foreach (var (name, list) in runs)
            {
                var report = list[^1].Report;
                var own = report is null ? "" : $", in-process {report.Seconds * 1000:F0} ms, RSS growth {report.RssGrowth >> 20} MiB, {report.Entries:N0} entries";
                BenchmarkContext.Row(name, $"{Median(list) * 1000,7:F0} ms  {Median(list) / find,5:F2} x find{own}");
            }
        }
    }

    private static void Judge(int count, List<Run> runs, ref double perFile, Targets targets)
    {
        var seconds = Median(runs);
        if (count == 100_000) targets.AtMost("Basic over 100,000 files", 2, seconds, "s");
        if (count == 100_000) targets.AtMost("Basic over 100,000 files: memory", 64, runs.Max(run => run.Report!.RssGrowth) / 1048576.0, "MiB");
        var each = Median(runs, run => run.Report!.Seconds) / count;
        if (perFile > 0) targets.AtMost($"time a file of {count:N0} beside that of 100,000", 1.25, each / perFile, "x");
        perFile = each;
    }

    private static double Median(List<Run> runs, Func<Run, double> of) => runs.Select(of).Order().ElementAt(runs.Count / 2);

    private static double Median(List<Run> runs) => runs.Select(run => run.Seconds).Order().ElementAt(runs.Count / 2);

    private static void Grow(string tree, int count, CancellationToken cancellationToken)
    {
        for (var i = 0; i < count; i++)
        {
            if (i % PerDirectory == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Directory.CreateDirectory($"{tree}/d{i / PerDirectory:000000}");
            }

            using var file = File.OpenHandle($"{tree}/d{i / PerDirectory:000000}/f{i:0000000}", FileMode.Create, FileAccess.Write);
            RandomAccess.Write(file, [(byte)i], 0);
        }
    }
}
