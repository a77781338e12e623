using System.Collections.Concurrent;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Agent.Verification.Campaign;

/// <summary>
/// Seeded faults of every class over realistic trees: each must be found by the tier that claims it, with the right file, reason and chunks;
/// what is no fault must stay unfound. The seed of a failure is in its message.
/// </summary>
public sealed class FaultCampaignTests
{
    [Test]
    [CancelAfter(300_000)]
    public Task Every_seeded_fault_is_found_with_its_file_reason_and_chunk(CancellationToken token) => RunAsync(540, seed: 20261123, manySmall: 0, token);

    [Test]
    [Category("Campaign")]
    [CancelAfter(3_600_000)]
    public Task Every_one_of_ten_thousand_faults_is_found(CancellationToken token) => RunAsync(10_500, seed: 7, manySmall: 3, token);

    private static async Task RunAsync(int faults, int seed, int manySmall, CancellationToken token)
    {
        var classes = Enum.GetValues<FaultClass>();
        var rows = new ConcurrentDictionary<FaultClass, Row>(classes.Select(kind => KeyValuePair.Create(kind, new Row())));
        var failures = new ConcurrentQueue<string>();
        var bytes = 0L;
        // A new tree every so often: other seeds, other sizes; two at a time.
        const int PerTree = 46;
        await Parallel.ForEachAsync(Enumerable.Range(0, (faults + PerTree - 1) / PerTree), new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = token }, async (tree, _) =>
        {
            var layout = tree < manySmall ? FaultBench.Layout.ManySmall : (FaultBench.Layout)(tree % 3);
            await using var bench = await FaultBench.MakeAsync(layout, seed + tree, token);
            for (var i = 0; i < PerTree; i++)
            {
                var kind = classes[i % classes.Length];
                var before = bench.BytesRead;
                var (fault, blind, report) = await bench.RunAsync(kind, token);
                if (Judge(fault, blind, report, rows[kind], bench.BytesRead - before) is { } wrong) failures.Enqueue($"seed {seed + tree}, fault {i}: {fault}: {wrong}");
            }

            var intact = await bench.CheckIntactAsync(CheckScope.Full, token);
            if (intact.Verdict.Result != CheckResult.Valid) failures.Enqueue($"seed {seed + tree}: put right, but {string.Join("; ", intact.Verdict.Findings)}");
            Interlocked.Add(ref bytes, bench.BytesRead);
        });

        Print(rows, bytes);
        failures.Should().BeEmpty();
        rows.Values.Sum(row => row.Made).Should().BeGreaterThanOrEqualTo(faults);
        // The tiers differ: much of what rots silently is invisible to a presence check.
        rows.Values.Sum(row => row.Blind).Should().BeGreaterThan(rows.Values.Sum(row => row.Silent) / 3);
    }

    private static string? Judge(Fault fault, CheckReport blind, CheckReport report, Row row, long bytes)
    {
        lock (row)
        {
            row.Made++;
            row.Bytes += bytes;
            if (fault.Reason is not null) row.ToFind++;
            if (fault.Silent) row.Silent++;
            if (fault.Silent && blind != report && blind.Verdict.Result == CheckResult.Valid) row.Blind++;
            if (fault.Reason is null) return report.Verdict.Result == CheckResult.Valid ? null : $"found {Text(report)}";
            if (report.Damaged is not [var damaged]) return $"found {Text(report)}";
            row.Found++;
            if (damaged.Finding.Path?.Value != fault.Path) return $"named {damaged.Finding.Path}";
            row.RightFile++;
            if (damaged.Finding.Reason != fault.Reason) return $"said {damaged.Finding.Reason}";
            row.RightReason++;
            if (!damaged.Chunks.SequenceEqual(fault.Chunks)) return $"named chunks {string.Join(',', damaged.Chunks)}, damaged are {string.Join(',', fault.Chunks)}";
            row.RightChunk++;
            if (blind.Verdict.Result == CheckResult.Inconclusive) return $"a presence check says {Text(blind)}";
            return null;
        }
    }

    private static string Text(CheckReport report) => $"{report.Verdict.Result} [{string.Join("; ", report.Verdict.Findings)}]";

    private static void Print(IReadOnlyDictionary<FaultClass, Row> rows, long bytes)
    {
        var output = TestContext.Progress;
        output.WriteLine($"{"class",-20} {"made",6} {"found",6} {"missed",6} {"file",6} {"reason",6} {"chunks",6} {"silent",6} {"not seen by stat",16} {"MB read",8}");
        foreach (var (kind, row) in rows.OrderBy(pair => pair.Key))
            output.WriteLine($"{kind,-20} {row.Made,6} {row.Found,6} {row.ToFind - row.Found,6} {row.RightFile,6} {row.RightReason,6} {row.RightChunk,6} {row.Silent,6} {row.Blind,16} {row.Bytes / 1e6,8:F1}");
        output.WriteLine($"{rows.Values.Sum(row => row.Made)} faults, {bytes / 1e6:F0} MB read");
    }

    private sealed class Row
    {
        public int Made { get; set; }

        /// <summary>All but those that are no faults.</summary>
        public int ToFind { get; set; }

        public long Bytes { get; set; }

        public int Found { get; set; }

        public int RightFile { get; set; }

        public int RightReason { get; set; }

        public int RightChunk { get; set; }

        public int Silent { get; set; }

        public int Blind { get; set; }
    }
}
