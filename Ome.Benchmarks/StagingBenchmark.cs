using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Ome.Agent.Staging;
using Ome.Benchmarks.Verify;
using Ome.LocalCluster.Fakes;

namespace Ome.Benchmarks;

/// <summary>
/// Staging from a hub on loopback, by the real binary, beside what people would do by hand: <c>curl</c> and then <c>sha256sum</c>. And beside the
/// three limits nobody can pass: what the same hub gives on loopback, what the disk takes, what this core digests.
/// </summary>
internal static class StagingBenchmark
{
    private const int Files = 8;

    public static async Task RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var root = Directory.CreateTempSubdirectory("ome-staging-bench-").FullName;
        try
        {
            var bytes = context.Quick ? 256L << 20 : 2L << 30;
            ModelTree.Write(Path.Combine(root, "source"), new ModelTreeOptions(TotalBytes: bytes, Shards: Files));
            await using var hub = await FakeHub.StartAsync(cancellationToken: cancellationToken);
            hub.AddDirectory("org/model", Path.Combine(root, "source"));
            var paths = Directory.EnumerateFiles(Path.Combine(root, "source")).Select(file => Path.GetFileName(file)).ToList();
            var total = paths.Sum(path => new FileInfo(Path.Combine(root, "source", path)).Length);

            var loopback = await LoopbackAsync(hub, paths, cancellationToken);
            var disk = DiskSeconds(Path.Combine(root, "disk"), total, cancellationToken);
            var sha256 = Sha256Seconds(total, cancellationToken);
            var limit = Math.Max(loopback, Math.Max(disk, sha256));

            // Each twice, taking turns; the better of each, because what comes on top on a shared machine is somebody else's.
            var (curl, curlCpu, stage, stageCpu, memory) = (double.MaxValue, double.MaxValue, double.MaxValue, double.MaxValue, 0L);
            for (var round = 0; round < 2; round++)
            {
                var cpu = Field.ChildrenCpu();
                curl = Math.Min(curl, await CurlAsync(hub, paths, Path.Combine(root, $"curl-{round}"), cancellationToken));
                curlCpu = Math.Min(curlCpu, Field.ChildrenCpu() - cpu);
                cpu = Field.ChildrenCpu();
                var (seconds, peak) = await StageAsync(hub, Path.Combine(root, "models", $"model-{round}"), cancellationToken);
                stageCpu = Math.Min(stageCpu, Field.ChildrenCpu() - cpu);
                (stage, memory) = (Math.Min(stage, seconds), Math.Max(memory, peak));
            }

            BenchmarkContext.Row("loopback alone (curl -o /dev/null)", Rate(total, loopback));
            BenchmarkContext.Row("disk alone (write and fsync)", Rate(total, disk));
            BenchmarkContext.Row("SHA-256 alone (one core)", Rate(total, sha256));
            BenchmarkContext.Row($"curl to files, sync, sha256sum ({Files} at once)", Rate(total, curl));
            BenchmarkContext.Row($"ome-agent stage ({Files} at once; SHA-256, XXH128, fsync)", Rate(total, stage));
            BenchmarkContext.Row("staging / (curl + sha256sum)", Ratio(curl / stage));
            BenchmarkContext.Row("staging / loopback", Ratio(loopback / stage));
            BenchmarkContext.Row("staging / disk", Ratio(disk / stage));
            BenchmarkContext.Row("staging / SHA-256 on one core", Ratio(sha256 / stage));
            BenchmarkContext.Row("staging / min(loopback, disk, SHA-256)", Ratio(limit / stage));
            BenchmarkContext.Row("processor time, curl + sync + sha256sum", CpuRate(total, curlCpu));
            BenchmarkContext.Row("processor time, ome-agent stage", CpuRate(total, stageCpu));
            BenchmarkContext.Row("peak resident memory of ome-agent stage", $"{memory / 1048576.0:F0} MiB");
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task<double> LoopbackAsync(FakeHub hub, List<string> paths, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        await RunAsync("curl", ["-sSfLZ", "--parallel-max", "8", .. paths.SelectMany(path => new[] { "-o", "/dev/null", Address(hub, path) })], cancellationToken);
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task<double> CurlAsync(FakeHub hub, List<string> paths, string directory, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        var files = paths.ConvertAll(path => Path.Combine(directory, path));
        var started = Stopwatch.GetTimestamp();
        await RunAsync("curl", ["-sSfLZ", "--parallel-max", "8", .. paths.SelectMany((path, i) => new[] { "-o", files[i], Address(hub, path) })], cancellationToken);
        await RunAsync("sync", files, cancellationToken);
        await Task.WhenAll(files.Select(file => RunAsync("sha256sum", [file], cancellationToken)));
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Directory.Delete(directory, recursive: true);
        return seconds;
    }

    private static async Task<(double Seconds, long PeakBytes)> StageAsync(FakeHub hub, string destination, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        long peak = 0;
        await RunAsync(
            "dotnet", [typeof(ArtifactStager).Assembly.Location, "stage", "hf://org/model", destination, "--connections", "8"], cancellationToken,
            start => start.Environment["HF_ENDPOINT"] = hub.Endpoint, process => peak = Math.Max(peak, Peak(process)));
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Directory.Delete(destination, recursive: true);
        return (seconds, peak);
    }

    private static double DiskSeconds(string path, long bytes, CancellationToken cancellationToken)
    {
        var block = new byte[1 << 20];
        new Random(1).NextBytes(block);
        var started = Stopwatch.GetTimestamp();
        using (var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write))
        {
            for (long written = 0; written < bytes; written += block.Length)
            {
                cancellationToken.ThrowIfCancellationRequested();
                RandomAccess.Write(file, block, written);
            }

            RandomAccess.FlushToDisk(file);
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        File.Delete(path);
        return seconds;
    }

    private static double Sha256Seconds(long bytes, CancellationToken cancellationToken)
    {
        var block = new byte[1 << 20];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var started = Stopwatch.GetTimestamp();
        for (long done = 0; done < bytes; done += block.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(block);
        }

        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task RunAsync(
        string command, IReadOnlyList<string> arguments, CancellationToken cancellationToken, Action<ProcessStartInfo>? configure = null, Action<Process>? watch = null)
    {
        var start = new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["NO_PROXY"] = start.Environment["no_proxy"] = "127.0.0.1";
        start.Environment.Remove("ENDPOINT");
        configure?.Invoke(start);
        using var process = Process.Start(start)!;
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
        var ended = process.WaitForExitAsync(cancellationToken);
        while (watch is not null && await Task.WhenAny(ended, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken)) != ended) watch(process);
        await ended;
        if (process.ExitCode != 0) throw new InvalidOperationException($"{command} ended with {process.ExitCode}: {string.Concat(await said)}");
    }

    /// <summary>High-water mark of the resident set; 0 when the process is gone.</summary>
    private static long Peak(Process process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process.Id}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static string Address(FakeHub hub, string path) => $"{hub.Endpoint}/org/model/resolve/main/{path}";

    private static string Rate(long bytes, double seconds) => $"{bytes / seconds / 1e6,8:F0} MB/s  ({seconds:F2} s)";

    private static string CpuRate(long bytes, double seconds) => $"{seconds / bytes * (1L << 30),8:F2} s/GiB";

    private static string Ratio(double ratio) => $"{ratio,8:F2} x";
}
