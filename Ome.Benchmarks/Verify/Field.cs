using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Ome.Agent.Verification.Reading.Linux;

namespace Ome.Benchmarks.Verify;

/// <summary>What one run of one contestant took.</summary>
internal sealed record Run(double Seconds, double CpuSeconds, long CacheAfter, ChildReport? Report);

/// <summary>The files everybody reads, and how everybody is run.</summary>
internal sealed partial class Field : IDisposable
{
    private const int Shards = 4;

    private Field(string directory, long bytes)
    {
        Directory = directory;
        Bytes = bytes;
        Files = [.. Enumerable.Range(1, Shards).Select(i => $"{directory}/files/shard-{i}.bin")];
    }

    public string Directory { get; }

    public long Bytes { get; }

    public IReadOnlyList<string> Files { get; }

    public string FileList => string.Join(' ', Files);

    /// <summary>True when cold means dropping the kernel's caches; else only the pages of the files are dropped.</summary>
    public static bool CanDropCaches => Environment.IsPrivilegedProcess && File.Exists("/proc/sys/vm/drop_caches");

    public static async Task<Field> CreateAsync(string directory, long bytes, CancellationToken cancellationToken)
    {
        directory = Path.GetFullPath(directory);
        var field = new Field(directory, bytes);
        System.IO.Directory.CreateDirectory(directory + "/files");
        var random = new byte[64 << 20];
#pragma warning disable CA5394 // Any bytes do, the same each time.
        new Random(1).NextBytes(random);
#pragma warning restore CA5394
        foreach (var path in field.Files)
        {
            await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 0);
            for (var left = bytes / Shards; left > 0; left -= random.Length)
            {
                random[0]++;
                await file.WriteAsync(random.AsMemory(0, (int)Math.Min(left, random.Length)), cancellationToken);
            }

            file.Flush(flushToDisk: true);
        }

        return field;
    }

    /// <summary>Our own process: the benchmark's executable in another role.</summary>
    public string Child(string mode, int workers, params string[] paths)
    {
        var executable = Path.Combine(AppContext.BaseDirectory, "Ome.Benchmarks");
        return string.Create(CultureInfo.InvariantCulture, $"{executable} {ReadChild.Name} {mode} {workers} {(paths.Length == 0 ? FileList : string.Join(' ', paths))}");
    }

    /// <summary>The agent's own command line, as a user types it; the manifest lies beside the files.</summary>
    public string Agent(string arguments) => $"{BenchmarkContext.AgentProgram()} {arguments}";

    /// <summary>A tool that knows one thread: one file after the other on one core, a process per file side by side on more.</summary>
    public string Each(int cores, string command) =>
        cores == 1 ? $"{command} {FileList}" : $"printf '%s\\0' {FileList} | xargs -0 -n 1 -P {cores} {command}";

    public void Warm()
    {
        foreach (var path in Files)
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
            file.CopyTo(Stream.Null, 1 << 20);
        }
    }

    public void Cool()
    {
        foreach (var path in Files)
        {
            using var file = File.OpenHandle(path);
            _ = posix_fadvise((int)file.DangerousGetHandle(), 0, 0, 4);
        }

        if (CanDropCaches) File.WriteAllText("/proc/sys/vm/drop_caches", "3");
    }

    public long CachedBytes() => Files.Sum(path =>
    {
        using var file = File.OpenHandle(path);
        return LinuxCalls.Instance.CachedBytes((int)file.DangerousGetHandle(), 0, RandomAccess.GetLength(file));
    });

    /// <summary>Runs a command line on the first <paramref name="cores"/> allowed cores.</summary>
    public async Task<Run> RunAsync(string command, int cores, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("sh") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("exec taskset -c " + Cpus(cores) + " sh -c \"$0\"");
        start.ArgumentList.Add(command);
        var cpu = ChildrenCpu();
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            var seconds = clock.Elapsed.TotalSeconds;
            if (process.ExitCode != 0) throw new IOException($"'{command}' ended with {process.ExitCode}: {await errors}");
            var text = (await output).Trim();
            var report = text.StartsWith('{') ? JsonSerializer.Deserialize<ChildReport>(text) : null;
            return new Run(seconds, ChildrenCpu() - cpu, CachedBytes(), report);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);

    private static string Cpus(int count)
    {
        var list = File.ReadLines("/proc/self/status").First(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split(':')[1].Trim();
        var all = list.Split(',').SelectMany(range =>
        {
            var ends = range.Split('-').Select(text => int.Parse(text, CultureInfo.InvariantCulture)).ToArray();
            return Enumerable.Range(ends[0], ends[^1] - ends[0] + 1);
        });

        // From the end: the first cores serve most interrupts.
        return string.Join(',', all.Reverse().Take(count));
    }

    /// <summary>CPU seconds of all children that have ended, and of theirs.</summary>
    internal static double ChildrenCpu()
    {
        Span<long> usage = stackalloc long[18];
        _ = getrusage(-1, ref usage[0]);
        return usage[0] + usage[2] + ((usage[1] + usage[3]) / 1e6);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int posix_fadvise(int descriptor, long offset, long length, int advice);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getrusage(int who, ref long usage);
}
