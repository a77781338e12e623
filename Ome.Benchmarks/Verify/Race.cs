namespace Ome.Benchmarks.Verify;

/// <summary>All contestants over the same files, on so many cores, with the files in the page cache or not.</summary>
internal sealed class Race(Field field, int cores, bool warm, int rounds, Targets targets)
{
    /// <summary>Slow tools only have to show how slow they are.</summary>
    private readonly int _slowRounds = rounds > 3 ? 2 : 1;

    private readonly Dictionary<string, List<Run>> _runs = [];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var contestants = Contestant.All.Where(contestant => contestant.IsThere && !(warm && contestant.Name == Contestant.Floor)).ToList();
#pragma warning disable CA5394 // An order, not a secret.
        var random = new Random(cores);
        for (var round = 0; round < rounds; round++)
        {
            var order = contestants.Where(contestant => !contestant.Slow || round < _slowRounds).ToArray();
            random.Shuffle(order);
            foreach (var contestant in order) await OnceAsync(contestant, cancellationToken);
        }
#pragma warning restore CA5394

        Print(contestants);
        Judge();
    }

    /// <summary>Seconds of <c>openssl</c>, all files one after the other; null when it is not installed.</summary>
    public double? OpenSslSeconds => _runs.ContainsKey(Contestant.OpenSsl) ? Median(Contestant.OpenSsl, run => run.Seconds) : null;

    public double Sha256Seconds => Median(Contestant.Sha256, run => run.Seconds);

    private void Judge()
    {
        var chunks = Median(Contestant.Chunks, run => run.Seconds);
        if (warm && _runs.ContainsKey(Contestant.B3)) targets.AtLeast($"warm, {cores} core(s): chunks of b3sum's rate", 1, Median(Contestant.B3, run => run.Seconds) / chunks);
        if (warm && cores == 1 && OpenSslSeconds is { } openSsl) targets.AtLeast("warm, 1 core: SHA-256 of openssl's rate", 0.95, openSsl / Sha256Seconds);
        if (warm) targets.AtMost($"warm, {cores} core(s): allocated per GiB", 1, Allocated(), "MB");
        if (warm) return;
        targets.AtLeast($"cold, {cores} core(s): chunks of the disk's rate", 0.95, Median(Contestant.Floor, run => run.Seconds) / chunks);
        targets.AtMost($"cold, {cores} core(s): page cache growth", 8, _runs[Contestant.Chunks].Max(run => run.CacheAfter) / 1048576.0, "MiB");
    }

    private double Allocated() => _runs[Contestant.Chunks].Max(run => run.Report!.Allocated) / 1e6 / (field.Bytes >> 30);

    private async Task OnceAsync(Contestant contestant, CancellationToken cancellationToken)
    {
        if (warm) field.Warm();
        else field.Cool();
        var run = await field.RunAsync(contestant.Command(field, cores), cores, cancellationToken);
        if (!_runs.TryGetValue(contestant.Name, out var runs)) _runs[contestant.Name] = runs = [];
        runs.Add(run);
    }

    private void Print(List<Contestant> contestants)
    {
        var cold = warm ? "" : Field.CanDropCaches ? " (caches dropped)" : " (files' pages dropped; drop_caches needs root)";
        Console.WriteLine($"\n   {(warm ? "warm" : "cold")}{cold}, {cores} core(s), {field.Files.Count} files, {field.Bytes >> 30} GiB, whole processes");
        Console.WriteLine($"   {"",-32} {"MiB/s",7} {"(min",7} {"max)",7} {"CPU s/GiB",10} {"x openssl",10} {"x b3sum",8} {(warm ? "" : "x disk"),7} {"cache MiB",10}");
        foreach (var contestant in contestants.OrderBy(contestant => Median(contestant.Name, run => run.Seconds)))
        {
            var name = contestant.Name;
            var seconds = Median(name, run => run.Seconds);
            var runs = _runs[name];
            Console.WriteLine(
                $"   {name,-32} {Rate(seconds),7:F0} {Rate(runs.Max(run => run.Seconds)),7:F0} {Rate(runs.Min(run => run.Seconds)),7:F0} "
                + $"{Median(name, run => run.CpuSeconds) / (field.Bytes >> 30),10:F3} {Times(Contestant.OpenSsl, seconds),10} {Times(Contestant.B3, seconds),8} "
                + $"{(warm ? "" : Times(Contestant.Floor, seconds)),7} {Median(name, run => run.CacheAfter) / 1048576,10:F0}");
        }

        foreach (var name in new[] { Contestant.Chunks, Contestant.Sha256 })
        {
            var report = _runs[name][^1].Report!;
            BenchmarkContext.Row(
                name,
                $"in-process {report.Bytes / report.Seconds / 1048576:F0} MiB/s, {report.Allocated / (double)(field.Bytes >> 30) / 1024:F0} KiB allocated per GiB, peak RSS {report.PeakRss >> 20} MiB");
        }
    }

    private double Rate(double seconds) => field.Bytes / seconds / 1048576;

    private double Median(string name, Func<Run, double> of)
    {
        var values = _runs[name].Select(of).Order().ToArray();
        return values.Length % 2 == 1 ? values[values.Length / 2] : (values[(values.Length / 2) - 1] + values[values.Length / 2]) / 2;
    }

    private string Times(string baseline, double seconds) => _runs.ContainsKey(baseline) ? $"{Median(baseline, run => run.Seconds) / seconds:F2}" : "-";
}
