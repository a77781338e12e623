using Ome.Benchmarks.Fleet;
using Ome.Benchmarks.Verify;

namespace Ome.Benchmarks;

/// <summary>One benchmark: prints figures against a baseline of the same run, and returns within its token.</summary>
/// <param name="Name">What <c>make bench BENCH_ARGS=name</c> calls it.</param>
/// <param name="About">One line for people.</param>
/// <param name="RunAsync">Runs it.</param>
public sealed record BenchmarkEntry(string Name, string About, Func<BenchmarkContext, CancellationToken, Task> RunAsync)
{
    /// <summary>Time it may take, unless <c>--limit</c> says otherwise.</summary>
    public int Seconds { get; init; } = 240;

    /// <summary>The same with <c>--quick</c>.</summary>
    public int QuickSeconds { get; init; } = 60;
}

/// <summary>The one list of benchmarks; a new one is a line here.</summary>
public static class BenchmarkRegistry
{
    /// <summary>All, in the order they run.</summary>
    public static IReadOnlyList<BenchmarkEntry> All { get; } =
    [
        new("fleet", "the operator over 100, 1,000 and 5,000 nodes x 50 models against listing everything", FleetBenchmark.RunAsync) { Seconds = 1200 },
        new("codec", "node report entries: decode and encode, MB/s against a plain parse of the same bytes", CodecBenchmark.RunAsync),
        new("cluster", "the local control plane: start time, writes/s with watchers against none, order checked", ClusterBenchmark.RunAsync),
        new("fold", "node reports into aggregates: one changed report against folding everything again", FoldBenchmark.RunAsync),
        new("queue", "100,000 objects that wait: processor time against an idle process and against a periodic scan", QueueBenchmark.RunAsync),
        new("informer", "node reports listed and kept: bytes per object against the whole ConfigMap", InformerBenchmark.RunAsync),
        new("staging", "a model from a hub on loopback by ome-agent stage, beside curl + sha256sum and the three limits", StagingBenchmark.RunAsync),
        new("agent", "the idle agent with 50 models: memory, processor, API requests; a deep pass within its byte budget", AgentBenchmark.RunAsync)
        {
            Seconds = 1500, QuickSeconds = 400,
        },
        new("verify", "reading engine beside sha256sum, openssl, b3sum, rclone…: whole processes, same files, same run", VerifyBenchmark.RunAsync)
        {
            Seconds = 3600, QuickSeconds = 240,
        },
    ];
}
