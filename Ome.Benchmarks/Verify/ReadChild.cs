using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Ome.Agent.Cli;
using Ome.Agent.Verification.Reading;
using Ome.Agent.Verification.Reading.Linux;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Benchmarks.Verify;

/// <summary>What a child process says of its work, as one line of JSON.</summary>
/// <param name="Bytes">Content read.</param>
/// <param name="Seconds">Without process start.</param>
/// <param name="Allocated">Bytes on the managed heap, in all.</param>
/// <param name="PeakRss">Highest resident set, bytes.</param>
/// <param name="RssGrowth">Resident set at the peak above that before the work, bytes.</param>
/// <param name="Entries">Files looked at.</param>
/// <param name="Worst">Highest number of bytes in a window of the budget run.</param>
internal sealed record ChildReport(long Bytes, double Seconds, long Allocated, long PeakRss, long RssGrowth, long Entries = 0, long Worst = 0);

/// <summary>
/// The contestants that are ours, each run as a process of its own so that start-up and JIT are in its time:
/// <c>read-child chunks|sha256|both|plain|floor|loaded|stat|basic|budget WORKERS PATH...</c>, 0 workers = as many as the engine thinks right
/// </summary>
internal static class ReadChild
{
    public const string Name = "read-child";

    public static async Task<int> RunAsync(string[] args)
    {
        var (mode, workers, paths) = (args[0], int.Parse(args[1], CultureInfo.InvariantCulture), args[2..]);
        var allocated = GC.GetTotalAllocatedBytes();
        var rss = Status("VmRSS:");
        var clock = Stopwatch.StartNew();
        var report = mode switch
        {
            "chunks" => await EngineAsync(paths, workers, ReadRequest.EveryChunk()),
            "sha256" => await EngineAsync(paths, workers, ReadRequest.WholeFile(WholeDigests.Sha256, withChunks: false)),
            "both" => await EngineAsync(paths, workers, ReadRequest.WholeFile(WholeDigests.Sha256)),
            "plain" => Plain(paths),
            "floor" => Floor(paths, workers, load: false),
            "loaded" => Floor(paths, workers, load: true),
            "stat" => await StatAsync(paths[0]),
            "basic" => await BasicAsync(paths[0]),
            "budget" => await BudgetAsync(paths, workers),
            _ => throw new ArgumentException($"There is no mode '{mode}'.", nameof(args)),
        };
        var peak = Status("VmHWM:");
        report = report with
        {
            Seconds = clock.Elapsed.TotalSeconds,
            Allocated = GC.GetTotalAllocatedBytes() - allocated,
            PeakRss = peak,
            RssGrowth = peak - rss,
        };
        Console.WriteLine(JsonSerializer.Serialize(report));
        return 0;
    }

    private static ChildReport Done(long bytes, long entries = 0, long worst = 0) => new(bytes, 0, 0, 0, 0, entries, worst);

    private static async Task<ChildReport> EngineAsync(string[] paths, int workers, ReadRequest request)
    {
        using var budget = new IoBudget(0, TimeProvider.System);
        using var engine = new ReadEngine(new ReadEngineOptions { Workers = workers, Background = false }, budget, TimeProvider.System);
        using var root = ((ArtifactRootResult.Opened)ArtifactRoot.Open(Path.GetDirectoryName(paths[0])!)).Root;
        var probe = new FileProbe(engine);
        await Parallel.ForEachAsync(paths, new ParallelOptions { MaxDegreeOfParallelism = engine.Workers }, async (path, token) =>
        {
            var seen = await probe.ReadAsync(root, ArtifactPath.Parse(Path.GetFileName(path)), request, token);
            if (seen is not FileObservation.Present) throw new IOException($"{path}: {seen}");
        });
        return Done(engine.BytesRead, paths.Length);
    }

    /// <summary>What the Go project does: one file after the other, 1 MiB at a time, read then hash.</summary>
    private static ChildReport Plain(string[] paths)
    {
        var (buffer, bytes) = (new byte[1 << 20], 0L);
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var path in paths)
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0);
            for (int got; (got = file.Read(buffer)) > 0; bytes += got) sha256.AppendData(buffer, 0, got);
            _ = sha256.GetHashAndReset();
        }

        return Done(bytes, paths.Length);
    }

    /// <summary>
    /// What the disk gives to whoever asks best: O_DIRECT into huge pages, no digest. Bytes that nobody looks at need never come to the processor;
    /// with <paramref name="load"/> one of each cache line does, which is the least any digest can do.
    /// </summary>
    private static ChildReport Floor(string[] paths, int workers, bool load)
    {
        var bytes = 0L;
        Parallel.ForEach(paths, new ParallelOptions { MaxDegreeOfParallelism = workers }, path => Interlocked.Add(ref bytes, ReadDirect(path, load)));
        return Done(bytes, paths.Length);
    }

    private static unsafe long ReadDirect(string path, bool load)
    {
        using var buffers = new AlignedBuffers();
        using var root = ((ArtifactRootResult.Opened)ArtifactRoot.Open(Path.GetDirectoryName(path)!)).Root;
        using var lease = root.Lease();
        var calls = LinuxCalls.Instance;
        var handle = calls.OpenHandle(lease.Descriptor, Path.GetFileName(path));
        var direct = calls.Reopen(handle, direct: true);
        var (total, sum) = (0L, 0L);
        for (long got; (got = calls.Read(direct, buffers[0], AlignedBuffers.Size, total, ReadMode.Direct)) > 0; total += got)
        {
            if (load) sum += LoadEachLine(new ReadOnlySpan<byte>(buffers[0], (int)got));
        }

        calls.Close(direct);
        calls.Close(handle);
        // Used, or the compiler might leave the loads out.
        return sum == long.MinValue ? 0 : total;
    }

    private static long LoadEachLine(ReadOnlySpan<byte> bytes)
    {
        const int CacheLine = 64;
        var sum = 0L;
        for (var i = 0; i < bytes.Length; i += CacheLine) sum += bytes[i];
        return sum;
    }

    private static async Task<ChildReport> StatAsync(string directory)
    {
        using var budget = new IoBudget(0, TimeProvider.System);
        using var engine = new ReadEngine(new ReadEngineOptions { Background = false }, budget, TimeProvider.System);
        using var root = ((ArtifactRootResult.Opened)ArtifactRoot.Open(directory)).Root;
        var bytes = 0L;
        var end = await new StatPass(engine).ScanAsync(root, entry => bytes += entry.Stamp.Size, CancellationToken.None);
        if (end.Failure is not null) throw new IOException($"{directory}: {end.Failure}");
        return Done(bytes, end.Entries);
    }

    /// <summary>The command <c>verify --basic</c> against the manifest in the directory, in a process that then tells its memory.</summary>
    private static async Task<ChildReport> BasicAsync(string directory)
    {
        var answer = new StringWriter();
        var console = new CliConsole(answer, Console.Error, OutIsTerminal: false, ErrorIsTerminal: false);
        var code = await CommandLineApp.RunAsync(CommandLineApp.CreateRoot(console, TimeProvider.System), ["verify", "--basic", "--json", directory], console, CancellationToken.None);
        if (code != ExitCode.Intact) throw new IOException($"verify of {directory} ended with {code}: {answer}");
        return Done(0, JsonDocument.Parse(answer.ToString()).RootElement.GetProperty("filesChecked").GetInt64());
    }

    /// <summary>Reads at 100 MB/s for as many seconds as <paramref name="seconds"/> says, sampling ten times a second.</summary>
    private static async Task<ChildReport> BudgetAsync(string[] paths, int seconds)
    {
        using var budget = new IoBudget(100_000_000, TimeProvider.System);
        using var engine = new ReadEngine(new ReadEngineOptions { Workers = 2 }, budget, TimeProvider.System);
        using var root = ((ArtifactRootResult.Opened)ArtifactRoot.Open(Path.GetDirectoryName(paths[0])!)).Root;
        using var stop = new CancellationTokenSource();
        var probe = new FileProbe(engine);
        var reading = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
                await probe.ReadAsync(root, ArtifactPath.Parse(Path.GetFileName(paths[i % paths.Length])), ReadRequest.EveryChunk(), stop.Token);
        });
        var clock = Stopwatch.StartNew();
        var samples = new List<(double At, long Bytes)>();
        using var ticker = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (clock.Elapsed.TotalSeconds < seconds && await ticker.WaitForNextTickAsync()) samples.Add((clock.Elapsed.TotalSeconds, engine.BytesRead));
        await stop.CancelAsync();
        await reading;
        var worst = samples.Zip(samples.Skip(50)).Max(pair => (long)((pair.Second.Bytes - pair.First.Bytes) / (pair.Second.At - pair.First.At)));
        return Done((long)(samples[^1].Bytes / samples[^1].At), samples.Count, worst);
    }

    private static long Status(string field) => long.Parse(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith(field, StringComparison.Ordinal))[field.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(),
        CultureInfo.InvariantCulture) * 1024;
}
