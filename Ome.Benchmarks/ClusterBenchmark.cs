using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Http.Headers;
using System.Text;
using Ome.LocalCluster;

namespace Ome.Benchmarks;

/// <summary>
/// The local control plane over HTTP: writes per second with no, 10 and 50 watchers of everything, writers and watchers in this same process.
/// Each watcher checks that the versions of each object only grow and that it saw as many changes as were written.
/// </summary>
internal static class ClusterBenchmark
{
    private const int Objects = 200;
    private const int Writers = 8;
    private const string Path = "/api/v1/namespaces/default/configmaps";

    public static async Task RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        await StartTimeAsync(context, cancellationToken);
        var writes = context.Quick ? 2_000 : 20_000;
        var (baseline, baselineCpu) = (0.0, 0.0);
        foreach (var watchers in new[] { 0, 10, 50 })
        {
            var (seconds, cpu, delivered) = await MeasureAsync(watchers, writes, cancellationToken);
            var rate = writes / seconds;
            if (watchers == 0) (baseline, baselineCpu) = (rate, cpu);
            BenchmarkContext.Row($"{watchers} watchers: {writes} writes until all were seen", $"{rate,8:F0} writes/s  {delivered / seconds,9:F0} events/s  {rate / baseline,5:F2} x without watchers");
            // Processor time is what a machine shared with others still tells truly: clients and server together, in this process.
            BenchmarkContext.Row($"{watchers} watchers: processor time of server and clients", $"{cpu / writes * 1e6,8:F0} us per write  {cpu / baselineCpu,5:F2} x without watchers  enough for {Environment.ProcessorCount * writes / cpu:F0} writes/s here");
        }
    }

    private static async Task StartTimeAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var (times, processor) = (new List<double>(), new List<double>());
        for (var i = 0; i < (context.Quick ? 2 : 5); i++)
        {
            var started = Stopwatch.GetTimestamp();
            var start = new ProcessStartInfo("dotnet", [typeof(Ome.LocalCluster.Program).Assembly.Location, "up"]) { RedirectStandardOutput = true, UseShellExecute = false };
            using var process = Process.Start(start)!;
            try
            {
                await process.StandardOutput.ReadLineAsync(cancellationToken);
                times.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
                processor.Add(process.TotalProcessorTime.TotalSeconds);
            }
            finally
            {
                process.Kill();
                await process.WaitForExitAsync(cancellationToken);
            }
        }
        BenchmarkContext.Row("a process until it serves (best, worst)", $"{times.Min(),8:F2} s {times.Max(),8:F2} s  processor time {processor.Min():F2} s");
    }

    private static async Task<(double Seconds, double Cpu, long Delivered)> MeasureAsync(int watchers, int writes, CancellationToken cancellationToken)
    {
        await using var cluster = await Ome.LocalCluster.LocalCluster.StartAsync(new LocalClusterOptions(), cancellationToken);
        using var client = new HttpClient { BaseAddress = cluster.HttpUrl };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", cluster.AdminToken);
        for (var i = 0; i < Objects; i++) await SendAsync(client, HttpMethod.Post, Path, Body(i, -1), cancellationToken);
        var from = cluster.Store.Revision;
        using var ready = new CountdownEvent(Math.Max(watchers, 1));
        var watching = Enumerable.Range(0, watchers).Select(_ => WatchAsync(client, from, writes, ready, cancellationToken)).ToList();
        while (watchers > 0 && ready.CurrentCount > 0) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);

        var started = Stopwatch.GetTimestamp();
        var cpu = Environment.CpuUsage.TotalTime;
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async _ =>
        {
            for (var i = Interlocked.Increment(ref next); i < writes; i = Interlocked.Increment(ref next))
                await SendAsync(client, HttpMethod.Put, $"{Path}/obj-{i % Objects:D4}", Body(i % Objects, i), cancellationToken);
        }));
        var delivered = (await Task.WhenAll(watching)).Sum();
        return (Stopwatch.GetElapsedTime(started).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds, delivered);
    }

    private static byte[] Body(int item, int value) => Encoding.UTF8.GetBytes(
        $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"obj-{{{item:D4}}}","labels":{"models.ome.io/node":"gpu-1"}},"data":{"model":"{\"status\":\"Ready\",\"n\":{{{value}}}}"}}""");

    private static async Task SendAsync(HttpClient client, HttpMethod method, string path, byte[] body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var response = await client.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    private static async Task<long> WatchAsync(HttpClient client, long from, int count, CountdownEvent ready, CancellationToken cancellationToken)
    {
        using var response = await client.GetAsync(new Uri($"{Path}?watch=true&resourceVersion={from}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        ready.Signal();
        var reader = PipeReader.Create(await response.Content.ReadAsStreamAsync(cancellationToken));
        var last = new long[Objects];
        var seen = 0;
        while (seen < count)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end);
                Check(line.IsSingleSegment ? line.FirstSpan : line.ToArray(), last);
                seen++;
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted && seen < count) throw new InvalidOperationException($"The watch ended after {seen} of {count} changes.");
        }
        return seen;
    }

    private static void Check(ReadOnlySpan<byte> line, long[] last)
    {
        var item = (int)NumberAfter(line, "\"name\":\"obj-"u8);
        var version = NumberAfter(line, "\"resourceVersion\":\""u8);
        if (version <= last[item]) throw new InvalidOperationException($"obj-{item:D4} went from version {last[item]} to {version}.");
        last[item] = version;
    }

    private static long NumberAfter(ReadOnlySpan<byte> line, ReadOnlySpan<byte> marker)
    {
        var rest = line[(line.IndexOf(marker) + marker.Length)..];
        return long.Parse(rest[..rest.IndexOf((byte)'"')], CultureInfo.InvariantCulture);
    }
}
