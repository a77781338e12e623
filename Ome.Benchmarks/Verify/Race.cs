namespace Ome.Benchmarks.Verify;

/// <summary>
/// All contestants over the same files, on so many cores, with the files in the page cache or not. A ratio is the median of the ratios of each
/// round: a disk whose rate drifts does so for both of a pair that is run one after the other, and not for two medians.
/// </summary>
internal sealed class Race(Field field, int cores, bool warm, int rounds, Targets targets)
{
    /// <summary>Fewer say nothing about a disk that is somebody else's too.</summary>
    private const int ColdRounds = 7;

    /// <summary>Slow tools only have to show how slow they are.</summary>
    private readonly int _slowRounds = rounds > 3 ? 2 : 1;

    private readonly Dictionary<string, List<Run>> _runs = [];

    /// <summary>Only ours and the disk itself, so that a run is over before the disk is another.</summary>
    public bool DiskOnly { get; init; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var contestants = Contestant.All.Where(contestant => contestant.IsThere && !(warm && contestant.Name is (Contestant.Floor or Contestant.Loaded)) && (!DiskOnly || IsJudgedByDisk(contestant))).ToList();
#pragma warning disable CA5394 // An order, not a secret.
        var random = new Random(cores);
        for (var round = 0; round < (warm || rounds < 3 ? rounds : Math.Max(rounds, ColdRounds)); round++)
        {
            var order = contestants.Where(contestant => IsIn(contestant, round)).ToArray();
            random.Shuffle(order);
            // Those that are compared with the disk go directly one after the other.
            foreach (var contestant in order.OrderBy(IsJudgedByDisk)) await OnceAsync(contestant, cancellationToken);
        }
#pragma warning restore CA5394

        Print(contestants);
        Judge();
    }

    /// <summary>Seconds of <c>openssl</c>, all files one after the other; null when it is not installed.</summary>
    public double? OpenSslSeconds => _runs.ContainsKey(Contestant.OpenSsl) ? Median(Contestant.OpenSsl, run => run.Seconds) : null;

    public double Sha256Seconds => Median(Contestant.Sha256, run => run.Seconds);

    private bool IsIn(Contestant contestant, int round) => round < (contestant.Slow ? _slowRounds : IsJudgedByDisk(contestant) ? int.MaxValue : rounds);

    private bool IsJudgedByDisk(Contestant contestant) => !warm && contestant.Name is Contestant.Floor or Contestant.Loaded or Contestant.Chunks or Contestant.Sha256 or Contestant.Agent;

    private void Judge()
    {
        if (warm && Ratio(Contestant.B3, Contestant.Chunks) is { } ofB3) targets.AtLeast($"warm, {cores} core(s): chunks of b3sum's rate", 1, ofB3);
        if (warm && cores == 1 && Ratio(Contestant.OpenSsl, Contestant.Sha256) is { } ofOpenSsl) targets.AtLeast("warm, 1 core: SHA-256 of openssl's rate", 0.95, ofOpenSsl);
        if (warm) targets.AtMost($"warm, {cores} core(s): allocated per GiB", 1, Allocated(), "MB");
        if (warm) return;
        targets.AtLeast($"cold, {cores} core(s): chunks of the disk's rate", 0.95, Ratio(Contestant.Floor, Contestant.Chunks)!.Value);
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
                + $"{Median(name, run => run.CpuSeconds) / (field.Bytes >> 30),10:F3} {Times(Contestant.OpenSsl, name),10} {Times(Contestant.B3, name),8} "
                + $"{(warm ? "" : Times(Contestant.Floor, name)),7} {Median(name, run => run.CacheAfter) / 1048576,10:F0}");
        }

        foreach (var name in new[] { Contestant.Chunks, Contestant.Sha256 })
        {
            var report = _runs[name][^1].Report!;
            BenchmarkContext.Row(
                name,
                $"in-process {report.Bytes / report.Seconds / 1048576:F0} MiB/s, {report.Allocated / (double)(field.Bytes >> 30) / 1024:F0} KiB allocated per GiB, peak RSS {report.PeakRss >> 20} MiB");
        }

        if (!warm) BenchmarkContext.Row(Contestant.Chunks, $"{Ratio(Contestant.Loaded, Contestant.Chunks):F2} x the disk's rate to one who loads each cache line");
    }

    private double Rate(double seconds) => field.Bytes / seconds / 1048576;

    private double Median(string name, Func<Run, double> of) => Median(_runs[name].Select(of));

    private static double Median(IEnumerable<double> numbers)
    {
        var values = numbers.Order().ToArray();
        return values.Length % 2 == 1 ? values[values.Length / 2] : (values[(values.Length / 2) - 1] + values[values.Length / 2]) / 2;
    }

    /// <summary>The rate of one as a multiple of the other's, round by round; null when the other did not run.</summary>
    private double? Ratio(string baseline, string name) =>
        _runs.TryGetValue(baseline, out var others) ? Median(others.Zip(_runs[name], (other, own) => other.Seconds / own.Seconds)) : null;

    private string Times(string baseline, string name) => Ratio(baseline, name) is { } ratio ? $"{ratio:F2}" : "-";
}
