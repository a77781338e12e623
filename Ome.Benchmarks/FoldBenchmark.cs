using System.Text.Json;
using Ome.Shared.Domain.Aggregation;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Benchmarks;

/// <summary>
/// One node report changes in one entry of 50. Incremental: from the bytes of the ConfigMap's data to the models to wake. Baseline: what OME does for
/// every model of the changed ConfigMap, read and fold the entries of all nodes.
/// </summary>
internal static class FoldBenchmark
{
    private const int ModelCount = 50;
    private const int MostNodes = 5_000;

    // Fifty times the nodes are memory that no cache holds; the work is the same.
    private const double Constant = 2;
    private static readonly ModelKey[] Models = [.. Enumerable.Range(0, ModelCount).Select(static i => ModelKey.Cluster($"llama-3-1-8b-instruct-{i:D2}"))];

    public static Task RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var good = Models.ToDictionary(static model => model.DataKey, static model => SampleReports.ReadyEntry(model.Name, Uri(model)), StringComparer.Ordinal);
        var bad = new Dictionary<string, string>(good, StringComparer.Ordinal);
        var broken = SampleReports.Ready(Models[7].Name, Uri(Models[7])) with
        {
            Status = NodeModelStates.Failed,
            Validation = new ReportedValidation { Result = ValidationResults.Invalid, Reason = "FileMissing", Message = "model-00002-of-00004.safetensors is missing" },
        };
        bad[Models[7].DataKey] = NodeReportCodec.Encode(broken);

        var (goodJson, badJson) = (JsonSerializer.SerializeToUtf8Bytes(good), JsonSerializer.SerializeToUtf8Bytes(bad));
        using var goodData = Arrive(goodJson);
        using var badData = Arrive(badJson);
        (double Fold, double All, double FullPerNode)? first = null;
        var targets = new Targets();
        foreach (var nodeCount in new[] { 100, 1_000, MostNodes })
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            var fold = Filled(nodeCount, good, out var nodes);
            var held = GC.GetTotalMemory(forceFullCollection: true) - before;

            var changed = new List<ModelKey>(4);
            var flips = 0;
            var woken = 0;
            bool IsBad() => flips / nodeCount % 2 == 0;
            void Flip(ReportData data)
            {
                changed.Clear();
                fold.SetReport(nodes[flips % nodeCount], data, changed);
                woken += changed.Count;
                flips++;
            }

            void Receive()
            {
                using var data = Arrive(IsBad() ? badJson : goodJson);
                Flip(data);
            }

            var apply = context.SecondsPerCall(() => Flip(IsBad() ? badData : goodData), cancellationToken);
            var all = context.SecondsPerCall(Receive, cancellationToken);
            if (woken != flips) throw new InvalidOperationException($"{woken} models woken by {flips} changes; each must wake exactly one.");
            var bytes = BenchmarkContext.BytesPerCall(Receive);
            var unchanged = context.SecondsPerCall(() => fold.SetReport(nodes[0], goodData, []), cancellationToken);
            var aggregate = context.SecondsPerCall(() => fold.Aggregate(Models[7]), cancellationToken);
            var item = good[Models[7].DataKey];
            var live = nodes.ToHashSet(StringComparer.Ordinal);
            var full = context.SecondsPerCall(
                () => ModelAggregator.Fold(Models[7], Identity(Models[7]), nodes.Select(node => NodeReport.Read(node, [new(Models[7].DataKey, item)])), live), cancellationToken);

            first ??= (apply, all, full / nodeCount);
            BenchmarkContext.Row($"{nodeCount} nodes: fold a changed report", $"{apply * 1e6,9:F1} us  {apply / first.Value.Fold,5:F2} x the time at 100 nodes");
            BenchmarkContext.Row($"{nodeCount} nodes: fold an unchanged report", $"{unchanged * 1e6,9:F1} us");
            BenchmarkContext.Row($"{nodeCount} nodes: read {goodJson.Length >> 10} KiB of a changed report and fold it", $"{all * 1e6,9:F1} us  {all / first.Value.All,5:F2} x the time at 100 nodes  {bytes,7:F0} B allocated");
            BenchmarkContext.Row($"{nodeCount} nodes: build the aggregate of one model", $"{aggregate * 1e6,9:F1} us  {aggregate / nodeCount * 1e9,7:F0} ns per node");
            BenchmarkContext.Row($"{nodeCount} nodes: full fold of one model", $"{full * 1e6,9:F1} us  {full / nodeCount * 1e9,7:F0} ns per node");
            BenchmarkContext.Row($"{nodeCount} nodes: baseline, full fold of all models", $"{full * ModelCount * 1e6,9:F1} us  {full * ModelCount / (apply + aggregate),7:F0} x ours");
            BenchmarkContext.Row($"{nodeCount} nodes: memory held", $"{held / 1048576.0,9:F1} MiB");
            if (nodeCount < MostNodes) continue;
            targets.AtMost($"fold of a changed report at {nodeCount:N0} nodes x {ModelCount} models", 20, apply * 1e6, "us");
            targets.AtMost("constant: the same against 100 nodes", Constant, apply / first.Value.Fold, "x");
            targets.AtMost("constant: read and fold against 100 nodes", Constant, all / first.Value.All, "x");
            targets.AtMost("linear: full fold per node against 100 nodes", Constant, full / nodeCount / first.Value.FullPerNode, "x");
        }

        targets.Print();
        return Task.CompletedTask;
    }

    private static ReportData Arrive(byte[] json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        return ReportData.Read(ref reader);
    }

    private static ReportFold Filled(int nodeCount, Dictionary<string, string> data, out string[] nodes)
    {
        var fold = new ReportFold();
        foreach (var model in Models) fold.SetModel(model, Identity(model));
        nodes = [.. Enumerable.Range(0, nodeCount).Select(static i => $"gpu-{i:D5}")];
        foreach (var node in nodes)
        {
            fold.SetNode(node, isLive: true, []);
            fold.SetReport(node, data, []);
        }

        return fold;
    }

    private static string Uri(ModelKey model) => "hf://meta-llama/" + model.Name;

    private static StorageIdentity Identity(ModelKey model) => new(Uri(model), "/mnt/models/" + model.Name);
}
