using System.Diagnostics;
using Ome.Agent.Files;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Verification.Campaign;

/// <summary>A check that is killed: nothing torn is ever accepted, and no more than a checkpoint interval is read again.</summary>
public sealed class KillTests
{
    [Test]
    [CancelAfter(540_000)]
    public Task Killed_at_random_points_no_file_of_ours_is_torn(CancellationToken token) => KillAsync(200, token);

    [Test]
    [Category("Campaign")]
    [CancelAfter(3_600_000)]
    public Task Killed_a_thousand_times_no_file_of_ours_is_torn(CancellationToken token) => KillAsync(1000, token);

    [Test]
    [CancelAfter(300_000)]
    public async Task A_kill_costs_at_most_a_checkpoint_interval_and_what_was_being_read(CancellationToken token)
    {
        const int Files = 80, FileBytes = 20_000, Checkpoint = 100_000;
        using var tree = new CheckedTree(populate: false);
        for (var i = 0; i < Files; i++) tree.Write($"{i:d3}.safetensors", WeightFiles.Safetensors(i, FileBytes));
        var first = await tree.ProveAsync(token);
        var document = new ManifestDocument(first.Manifest, first.ManifestDigest);
        var path = Path.Combine(tree.Base, "ledger");
        LedgerFile.Save(path, VerificationLedger.Unproven(document));
        var (random, kills, before) = (new Random(5), 0, tree.Engine.BytesRead);

        for (var ended = false; !ended;)
        {
            var ledger = LedgerFile.LoadOrStart(path, document, out var problem);
            problem.Should().BeNull();
            var dieAt = kills < 12 ? random.Next(1, Files * FileBytes / 6) : long.MaxValue;
            using var kill = CancellationTokenSource.CreateLinkedTokenSource(token);
            var report = await tree.Runner.RunAsync(
                new CheckSubject(tree.Root, null, ledger, 7),
                new CheckRequest
                {
                    Policy = tree.Policy with { CheckpointBytes = Checkpoint },
                    Scope = CheckScope.Full,
                    // What a killed process proved after its last checkpoint is lost.
                    Checkpoint = proven => { if (!kill.IsCancellationRequested) LedgerFile.Save(path, proven); },
                    Progress = progress => { if (progress.BytesDone >= dieAt) kill.Cancel(); },
                },
                kill.Token);
            ended = report.FullPassEnded;
            if (!ended) kills++;
        }

        kills.Should().BeGreaterThan(3);
        var inFlight = ((2 * tree.Engine.Workers) + 2) * (FileBytes + 1000);
        var reread = tree.Engine.BytesRead - before - document.Manifest.TotalBytes;
        reread.Should().BeLessThanOrEqualTo(kills * (Checkpoint + inFlight));
        reread.Should().BePositive("a kill that costs nothing is none");
    }

    /// <summary>Kills in several lanes at once.</summary>
    private static async Task KillAsync(int kills, CancellationToken token)
    {
        const int Lanes = 4;
        var tallies = await Task.WhenAll(Enumerable.Range(0, Lanes).Select(lane => KillLaneAsync(lane, kills / Lanes, token)));

        await TestContext.Progress.WriteLineAsync(
            $"kill -9: {tallies.Sum(tally => tally.Kills)} kills, {tallies.Sum(tally => tally.Ledgers)} ledgers and {tallies.Sum(tally => tally.Manifests)} manifests seen after them, all whole; {tallies.Sum(tally => tally.Progress)} times further than before");
        tallies.Sum(tally => tally.Kills).Should().Be(kills);
        tallies.Sum(tally => tally.Progress).Should().BeGreaterThan(kills / 40, "the kills must fall where ledgers are written");
    }

    private static async Task<Tally> KillLaneAsync(int lane, int kills, CancellationToken token)
    {
        using var tree = new CheckedTree(populate: false);
        for (var i = 0; i < 150; i++) tree.Write($"{i:d3}.safetensors", WeightFiles.Safetensors(i, 40_000));
        var first = await tree.ProveAsync(token);
        var document = new ManifestDocument(first.Manifest, first.ManifestDigest);
        var (manifest, ledger, taken) = (Path.Combine(tree.Base, "manifest"), Path.Combine(tree.Base, "ledger"), Path.Combine(tree.Base, "taken"));
        ManifestFile.Save(manifest, document.Manifest);
        var (random, tally, proven) = (new Random(lane), new Tally(), 0);
        for (var i = 0; tally.Kills < kills; i++)
        {
            // Every fourth takes a manifest; the others run a pass that saves its ledger every few files.
            string[] arguments = i % 4 == 3
                ? ["manifest", "create", tree.Root, "-o", taken]
                : ["verify", tree.Root, "--manifest", manifest, "--ledger", ledger, "--checkpoint", "1", "--limit", "20MB"];
            if (await RunAndKillAsync(arguments, i % 4 == 3 ? taken : ledger, TimeSpan.FromMilliseconds(random.Next(60)), token)) tally.Kills++;
            if (File.Exists(ledger))
            {
                LedgerFile.TryLoad(ledger, document, out var kept, out var problem).Should().BeTrue(problem);
                var now = document.Manifest.Entries.Select((_, index) => index).Count(index => kept!.Proof(index, 0).At > DateTimeOffset.UnixEpoch);
                now.Should().BeGreaterThanOrEqualTo(proven, "what was proven and saved stays proven");
                if (now > proven) tally.Progress++;
                proven = now;
                tally.Ledgers++;
                // Begun anew once all is proven, so that later kills fall into a pass as well.
                if (now == document.Manifest.Entries.Length) File.Delete(ledger);
                if (now == document.Manifest.Entries.Length) proven = 0;
            }

            if (!File.Exists(taken)) continue;
            ManifestFile.Load(taken).Should().BeOfType<ManifestLoad.Loaded>().Which.Document.Manifest.Entries.Should().HaveCount(150);
            tally.Manifests++;
            File.Delete(taken);
        }

        return tally;
    }

    /// <summary>Kills the process some time after it begins to write the file it is to write; true when it still ran.</summary>
    private static async Task<bool> RunAndKillAsync(string[] arguments, string written, TimeSpan after, CancellationToken token)
    {
        using var late = new CancellationTokenSource();
        using var writes = new FileSystemWatcher(Path.GetDirectoryName(written)!, Path.GetFileName(written) + AtomicFile.PendingSuffix);
        var begun = 0;
        // The first one only tries whether it could be written, before anything is read.
        writes.Created += (_, _) =>
        {
            if (Interlocked.Increment(ref begun) == 2) CancelLater(late, after);
        };
        writes.EnableRaisingEvents = true;
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ome-agent.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["DOTNET_TieredPGO"] = "0";
        using var process = Process.Start(start)!;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, token);
        try
        {
            await process.WaitForExitAsync(either.Token);
            return false;
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            return true;
        }
    }

    private static void CancelLater(CancellationTokenSource late, TimeSpan after)
    {
        try
        {
            late.CancelAfter(after);
        }
        catch (ObjectDisposedException)
        {
            // The process ended by itself, and its last write is told afterwards.
        }
    }

    private sealed class Tally
    {
        public int Kills { get; set; }

        public int Ledgers { get; set; }

        public int Manifests { get; set; }

        public int Progress { get; set; }
    }
}
