using System.Diagnostics;
using Ome.LocalCluster.Faults;
using Ome.Shared.Api;
using Ome.Shared.Domain.Models;

namespace Ome.Benchmarks.Fleet;

/// <summary>
/// The real operator process against a fleet of simulated nodes on the local control plane: cold start, reports that change nothing, one flipped entry
/// to CR status, a storm in which every node flips, memory, API requests. Baseline: OME's algorithm on the same control plane and the same flip.
/// Control plane, nodes and operator share the machine's cores.
/// </summary>
internal sealed class FleetBenchmark
{
    private const int ModelCount = SimulatedFleet.ModelCount;
    private const string QuietReport = "processor time per report that changes nothing";
    private static readonly IReadOnlyList<ModelKey> Models = SimulatedFleet.Models;

    private readonly FleetTable _table;
    private readonly SimulatedFleet _fleet;
    private readonly StatusWatch _seen;
    private readonly CancellationToken _cancellation;

    private FleetBenchmark(FleetTable table, SimulatedFleet fleet, StatusWatch seen, CancellationToken cancellationToken) =>
        (_table, _fleet, _seen, _cancellation) = (table, fleet, seen, cancellationToken);

    private int Nodes => _fleet.NodeCount;

    public static async Task RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        int[] sizes = context.Quick ? [100] : Sizes() ?? [100, 1_000, 5_000];
        var table = new FleetTable(sizes);
        foreach (var size in sizes)
        {
            await using var fleet = await SimulatedFleet.StartAsync(size, cancellationToken);
            await using var seen = new StatusWatch(fleet.Client);
            await seen.ListedAsync(cancellationToken);
            await new FleetBenchmark(table, fleet, seen, cancellationToken).MeasureAsync(context.Quick ? 100 : 200);
        }

        table.Constant(QuietReport, 1.5);
        table.Print();
    }

    private async Task MeasureAsync(int flips)
    {
        double perFlip;
        await using (var program = OperatorProcess.Start(_fleet.Kubeconfig, SimulatedFleet.Namespace))
        {
            await ColdStartAsync(program);
            perFlip = await PropagationAsync(program, flips);
            await StormAsync(program);
            await QuietReportsAsync(program);
        }

        await BaselineAsync(perFlip);
    }

    private async Task ColdStartAsync(OperatorProcess program)
    {
        foreach (var model in Models) await _seen.UntilAsync(model.Name, status => status?.NodesReady?.Count == Nodes, _cancellation);
        var total = Stopwatch.GetElapsedTime(program.Started).TotalSeconds;
        _table.SetAtMost(Nodes, "cold start, process start to all statuses right", 10, total, "s", at: 5_000);
        var host = await program.MetricAsync("ome_operator_startup_seconds{phase=\"host\"}", _cancellation);
        var nodes = await program.MetricAsync("ome_operator_startup_seconds{phase=\"nodes\"}", _cancellation);
        var reports = await program.MetricAsync("ome_operator_startup_seconds{phase=\"reports\"}", _cancellation);
        Set("  host up, nodes listed, reports listed, s", $"{host:F2} {nodes:F2} {reports:F2}");
        Set("  processor time of the operator until then, s", $"{program.Cpu():F2}");
        _table.SetAtMost(Nodes, "resident after the cold start", 250, program.Memory().Now, "MiB", at: 5_000, "F0");
    }

    /// <summary>Reports that change text and decide nothing, the most frequent kind: what reading one costs.</summary>
    private async Task QuietReportsAsync(OperatorProcess program)
    {
        const int WarmUp = 1_500;
        const int Ticks = 1_000;
        // A process that has seen a hundred reports still runs half-compiled code: all sizes start warm.
        await TickAsync(0, WarmUp);
        var before = program.Cpu();
        await TickAsync(WarmUp, Ticks);
        _table.Set(Nodes, QuietReport, (program.Cpu() - before) / Ticks * 1e3, "ms");

        // The flip at the end is shown after all ticks were taken: reports come in order.
        async Task TickAsync(int from, int count)
        {
            for (var i = from; i < from + count; i++) await _fleet.TickAsync(i % Nodes, Models[3], i, _cancellation);
            await FlipAsync(Nodes - 1, Models[^1], ready: false);
            await FlipAsync(Nodes - 1, Models[^1], ready: true);
        }
    }

    /// <summary>One entry flips, at most once a second per model: how long until the CR shows it.</summary>
    private async Task<double> PropagationAsync(OperatorProcess program, int flips)
    {
        var before = program.Cpu();
        _fleet.Requests.Clear();
        var times = new double[flips];
        for (var i = 0; i < flips; i++)
        {
            // Every model gets its turn before one comes again, so that the limit of one write a second is not what is measured.
            var pause = Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System, _cancellation);
            // Each round flips all models on one node: the even rounds away, the odd ones back.
            times[i] = await FlipAsync(i / (2 * ModelCount) % Nodes, Models[i % ModelCount], ready: i / ModelCount % 2 != 0);
            await pause;
        }

        var requests = _fleet.Requests.Last.Where(static request => request.Resource != "configmaps" && request.Verb != "watch").ToList();
        Array.Sort(times);
        _table.SetAtMost(Nodes, $"report to status in a watch, {flips} flips: p50", 300, times[flips / 2] * 1e3, "ms", at: 1_000, "F0");
        _table.SetAtMost(Nodes, $"report to status in a watch, {flips} flips: p99", 1_000, times[flips * 99 / 100] * 1e3, "ms", at: 1_000, "F0");
        Set("processor time per flip, status written, ms", $"{(program.Cpu() - before) / flips * 1e3:F1}");
        Set("API requests per flip", $"{(double)requests.Count / flips:F2}");
        Console.WriteLine("         " + Summary(requests));
        return (double)requests.Count / flips;
    }

    /// <summary>
    /// Every node loses its models and then gets them back, as fast as the control plane takes it: all of them up to a thousand nodes, three beyond, where
    /// fifty statuses of five thousand names a second are more than a control plane on the same cores takes.
    /// </summary>
    private async Task StormAsync(OperatorProcess program)
    {
        IReadOnlyList<ModelKey> models = Nodes <= 1_000 ? Models : [Models[1], Models[20], Models[40]];
        var started = Stopwatch.GetTimestamp();
        var before = program.Cpu();
        foreach (var ready in new[] { false, true })
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, Nodes), new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = _cancellation }, async (i, token) => await _fleet.ReportAsync(i, models, ready, token));
        }

        var reported = Stopwatch.GetTimestamp();
        foreach (var model in models) await _seen.UntilAsync(model.Name, status => status?.NodesReady?.Count == Nodes, _cancellation);
        Set($"storm, every node flips twice: models of {ModelCount} it flips", $"{models.Count}");
        Set("storm: reports per second", $"{2 * Nodes / Stopwatch.GetElapsedTime(started, reported).TotalSeconds:F0}");
        _table.SetAtMost(Nodes, "storm: status writes of one model, at most", 1, models.Max(model => _seen.WritesSince(model.Name, started).PerSecond), "/s");
        Set("storm: status right after the last report, s", $"{Stopwatch.GetElapsedTime(reported).TotalSeconds:F2}");
        Set("storm: processor time per report, ms", $"{(program.Cpu() - before) / (2 * Nodes) * 1e3:F2}");
        _table.SetAtMost(Nodes, "resident after the storm", 250, program.Memory().Now, "MiB", at: 5_000, "F0");
        Set("resident at its peak, MiB", $"{program.Memory().Peak:F0}");
    }

    /// <summary>OME's algorithm on one flip: all models of the report on the small fleet, one of them on the others, where the rest would take minutes.</summary>
    private async Task BaselineAsync(double ours)
    {
        var baseline = new ListEverything(_fleet.Client, SimulatedFleet.Namespace);
        var report = await _fleet.ReportAsync(0, [Models[0]], ready: false, _cancellation);
        var started = Stopwatch.GetTimestamp();
        await baseline.ReconcileAsync(Models[0], _cancellation);
        var (first, seconds) = (baseline.Requests, Stopwatch.GetElapsedTime(started).TotalSeconds);
        await _seen.UntilAsync(Models[0].Name, static status => status?.NodesFailed is [var node] && node == SimulatedFleet.Node(0), _cancellation);
        // The flipped model is written, the others of the report are read in vain.
        var perFlip = first + ((first - 2) * (ModelCount - 1));
        if (Nodes <= 100)
        {
            await baseline.OnConfigMapAsync(report, _cancellation);
            if (baseline.Requests != first + ((first - 2) * ModelCount)) throw new InvalidOperationException($"{baseline.Requests} requests; each of {ModelCount} models was to cost {first - 2}.");
        }

        Set("OME's algorithm: API requests per flip", $"{perFlip:N0}");
        Set("OME's algorithm: requests per request of ours", $"{perFlip / ours:N0} x");
        Set("OME's algorithm: one model of one report, ms", $"{seconds * 1e3:F0}");
    }

    private async Task<double> FlipAsync(int node, ModelKey model, bool ready)
    {
        bool Shows(BaseModelStatus? status) => status?.NodesFailed?.Contains(SimulatedFleet.Node(node)) == !ready;
        if (_seen.Shows(model.Name, Shows)) throw new InvalidOperationException("The status shows the change before it is made: nothing would be measured.");
        var started = Stopwatch.GetTimestamp();
        await _fleet.ReportAsync(node, [model], ready, _cancellation);
        await _seen.UntilAsync(model.Name, Shows, _cancellation);
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private void Set(string what, string figure) => _table.Set(Nodes, what, figure);

    private static string Summary(IEnumerable<RequestFacts> requests) => string.Join(", ", requests
        .GroupBy(static request => $"{request.Verb} {request.Resource}{(request.Subresource.Length > 0 ? "/" + request.Subresource : string.Empty)}", StringComparer.Ordinal)
        .OrderByDescending(static group => group.Count()).Take(5).Select(static group => $"{group.Count()} {group.Key}"));

    // OME_BENCH_NODES=1000,5000 measures those only.
    private static int[]? Sizes()
    {
#pragma warning disable RS0030 // a benchmark is steered by the environment, as its pages say
        var text = Environment.GetEnvironmentVariable("OME_BENCH_NODES");
#pragma warning restore RS0030
        return string.IsNullOrEmpty(text) ? null : [.. text.Split(',').Select(static size => int.Parse(size, System.Globalization.CultureInfo.InvariantCulture))];
    }
}
