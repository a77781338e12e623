using System.Text;
using System.Text.Json;
using Ome.Shared.Domain.Reporting;

namespace Ome.Benchmarks;

/// <summary>Decode and encode of a typical Ready entry. Baseline: <see cref="JsonDocument"/> parsing the same text into nothing typed.</summary>
internal static class CodecBenchmark
{
    private const double LeastRate = 100;

    public static Task RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var text = SampleReports.ReadyEntry("llama-3-1-8b-instruct", "hf://meta-llama/Llama-3.1-8B-Instruct");
        var bytes = Encoding.UTF8.GetByteCount(text);
        NodeReportCodec.TryDecode(text, out var entry, out _);

        var plain = context.SecondsPerCall(() => JsonDocument.Parse(text).Dispose(), cancellationToken);
        var element = context.SecondsPerCall(() => JsonSerializer.Deserialize<JsonElement>(text), cancellationToken);
        var decode = context.SecondsPerCall(() => NodeReportCodec.TryDecode(text, out _, out _), cancellationToken);
        var encode = context.SecondsPerCall(() => NodeReportCodec.Encode(entry!), cancellationToken);

        Print("baseline: JsonDocument.Parse", plain);
        Print("baseline: JsonSerializer to JsonElement", element);
        Print("decode", decode);
        Print("encode", encode);
        var targets = new Targets();
        targets.AtLeast("decode", LeastRate, bytes / decode / 1e6, "MB/s");
        targets.AtLeast("encode", LeastRate, bytes / encode / 1e6, "MB/s");
        targets.Print();
        return Task.CompletedTask;

        void Print(string what, double seconds) => BenchmarkContext.Row(
            what, $"{bytes / seconds / 1e6,8:F0} MB/s  {seconds * 1e6,7:F2} us per entry of {bytes} bytes  {element / seconds,5:F2} x the plain JsonSerializer");
    }
}
