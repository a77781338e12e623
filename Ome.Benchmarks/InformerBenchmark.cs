using System.Diagnostics;
using System.Text;
using k8s;
using k8s.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Kube;

namespace Ome.Benchmarks;

/// <summary>
/// 10,000 node reports of ten models each, listed over loopback: memory an informer keeps per object, by what it keeps. Baseline: keeping the
/// ConfigMap as the client parsed it. And the time of the list against reading the same pages and parsing nothing.
/// </summary>
internal static class InformerBenchmark
{
    private const int ModelsPerReport = 10;
    private const int PageSize = 100;

    public static async Task RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var count = context.Quick ? 1_000 : 10_000;
        await using var server = await PageServer.StartAsync(count);
        using var client = new Kubernetes(new KubernetesClientConfiguration { Host = server.Address });

        await server.ReadAllAsync(cancellationToken);
        var started = Stopwatch.GetTimestamp();
        var bytes = await server.ReadAllAsync(cancellationToken);
        var plain = Stopwatch.GetElapsedTime(started);

        await MeasureAsync<int>(client, _ => 0, count, cancellationToken); // warm up
        var (whole, _) = await MeasureAsync(client, static map => map, count, cancellationToken);
        var (states, _) = await MeasureAsync(client, States, count, cancellationToken);
        var (nothing, time) = await MeasureAsync(client, static _ => 0, count, cancellationToken);

        BenchmarkContext.Row("on the wire", $"{bytes / count,8:N0} bytes per report");
        BenchmarkContext.Row("baseline: the whole ConfigMap kept", $"{whole,8:N0} bytes per object");
        BenchmarkContext.Row($"state of each of {ModelsPerReport} models kept", $"{states,8:N0} bytes per object, {states / whole:P0} of the baseline");
        BenchmarkContext.Row("nothing kept but name, uid and resourceVersion", $"{nothing,8:N0} bytes per object, {nothing / whole:P0} of the baseline");
        BenchmarkContext.Row("list of all, in pages of 100", $"{count / time.TotalSeconds,8:N0} objects/s, {time / plain:F1} x reading the pages alone");
    }

    private static byte[] States(V1ConfigMap map) =>
        [.. (map.Data ?? new Dictionary<string, string>()).Values.Select(text => NodeReportCodec.TryDecode(text, out var entry, out _) ? (byte)entry.State : (byte)255)];

    private static async Task<(double BytesPerObject, TimeSpan Time)> MeasureAsync<TItem>(Kubernetes client, Func<V1ConfigMap, TItem> project, int count, CancellationToken cancellationToken)
    {
        // The last informer's connection is closed, but its pending read still holds what it fed until the socket says so.
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var options = new InformerOptions { Namespace = "ome", PageSize = PageSize };
        var informer = new Informer<V1ConfigMap, TItem>(client, options, project, (_, _) => ValueTask.CompletedTask, TimeProvider.System, NullLogger<Informer<V1ConfigMap, TItem>>.Instance);
        var started = Stopwatch.GetTimestamp();
        var running = informer.RunAsync(stop.Token);
        await informer.WaitForSyncAsync(cancellationToken);
        var time = Stopwatch.GetElapsedTime(started);
        var kept = GC.GetTotalMemory(forceFullCollection: true) - before;
        await stop.CancelAsync();
        await running;
        GC.KeepAlive(informer);
        return (kept / (double)count, time);
    }

    /// <summary>Serves the same pages again and again, and watches that stay silent.</summary>
    private sealed class PageServer(WebApplication app, byte[][] pages) : IAsyncDisposable
    {
        public string Address => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

        public static async Task<PageServer> StartAsync(int count)
        {
            var pages = Enumerable.Range(0, count / PageSize).Select(page => Page(page, last: page == (count / PageSize) - 1)).ToArray();
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var server = new PageServer(builder.Build(), pages);
            server.Run();
            await server.StartAsync();
            return server;
        }

        public async Task<double> ReadAllAsync(CancellationToken cancellationToken)
        {
            using var http = new HttpClient { BaseAddress = new Uri(Address) };
            var bytes = 0L;
            for (var page = 0; page < pages.Length; page++)
            {
                var body = await http.GetByteArrayAsync(new Uri($"/api/v1/namespaces/ome/configmaps?continue={page}", UriKind.Relative), cancellationToken);
                bytes += body.Length;
            }
            return bytes;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private Task StartAsync() => app.StartAsync();

        private void Run() => app.Run(async http =>
        {
            http.Response.ContentType = "application/json";
            if (http.Request.Query["watch"] == "true")
            {
                await http.Response.StartAsync(http.RequestAborted);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted);
            }
            var page = int.TryParse(http.Request.Query["continue"], out var number) ? number : 0;
            await http.Response.Body.WriteAsync(pages[page], http.RequestAborted);
        });

        private static byte[] Page(int page, bool last)
        {
            var entry = SampleReports.ReadyEntry("llama-3-1-8b-instruct", "hf://meta-llama/Llama-3.1-8B-Instruct");
            var items = Enumerable.Range(page * PageSize, PageSize).Select(node => new V1ConfigMap
            {
                Metadata = new() { Name = $"node-{node:00000}", NamespaceProperty = "ome", Uid = Guid.NewGuid().ToString(), ResourceVersion = (100_000 + node).ToString() },
                Data = Enumerable.Range(0, ModelsPerReport).ToDictionary(model => $"clusterbasemodel.model-{model:00}", _ => entry),
            });
            var list = new V1ConfigMapList { Metadata = new() { ResourceVersion = "1", ContinueProperty = last ? "" : (page + 1).ToString() }, Items = [.. items] };
            return Encoding.UTF8.GetBytes(KubernetesJson.Serialize(list));
        }
    }
}
