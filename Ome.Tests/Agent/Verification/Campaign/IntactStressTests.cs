using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Verification.Campaign;

/// <summary>Checks of intact trees while everything that may happen to an intact tree happens: none may ever say Invalid.</summary>
public sealed partial class IntactStressTests
{
    [Test]
    [CancelAfter(300_000)]
    public Task An_intact_tree_under_stress_is_never_invalid(CancellationToken token) => RunAsync(600, token);

    [Test]
    [Category("Campaign")]
    [CancelAfter(3_600_000)]
    public Task A_hundred_thousand_checks_of_intact_trees_find_nothing(CancellationToken token) => RunAsync(100_000, token);

    private static async Task RunAsync(int checks, CancellationToken token)
    {
        const int Trees = 2;
        var tallies = await Task.WhenAll(Enumerable.Range(0, Trees).Select(tree => CheckUnderStressAsync(tree, checks / Trees, token)));

        var (valid, inconclusive, stresses) = (tallies.Sum(tally => tally.Valid), tallies.Sum(tally => tally.CouldNot.Count), tallies.Sum(tally => tally.Stresses));
        var reasons = tallies.SelectMany(tally => tally.CouldNot).CountBy(reason => reason).Select(pair => $"{pair.Value} {pair.Key}").ToList();
        await TestContext.Progress.WriteLineAsync($"intact trees: {valid} checks valid, {inconclusive} could not verify ({string.Join(", ", reasons)}), {stresses} disturbances, {tallies.SelectMany(tally => tally.Invalid).Count()} false alarms");
        tallies.SelectMany(tally => tally.Invalid).Should().BeEmpty();
        // The one excuse: the file changed at each of three looks in a row. Everything else must be answered.
        tallies.SelectMany(tally => tally.CouldNot).Should().AllBeEquivalentTo(FindingReason.ChangedDuringCheck);
        valid.Should().BeGreaterThan(checks / 2, "a check that cannot conclude proves nothing");
        stresses.Should().BeGreaterThan(checks / 20);
    }

    private static async Task<Tally> CheckUnderStressAsync(int seed, int checks, CancellationToken token)
    {
        using var tree = new CheckedTree(seed);
        tree.Policy = tree.Policy with { SettleDelay = TimeSpan.FromMilliseconds(4) };
        var ledger = await tree.ProveAsync(token);
        var tally = new Tally();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        var stress = StressAsync(tree, new Random(seed), tally, stop.Token);
        // However fast the checks are, enough must have met a disturbance.
        for (var i = 0; i < checks || tally.Stresses <= checks / 20; i++)
        {
            var scope = i % 10 == 0 ? CheckScope.Full : CheckScope.Presence;
            var report = await tree.CheckAsync(ledger, scope, token);
            if (report.Verdict.Result == CheckResult.Valid) tally.Valid++;
            else if (report.Verdict.Result == CheckResult.Inconclusive) tally.CouldNot.Add(report.Verdict.Reason!.Value);
            else tally.Invalid.Add($"tree {seed}, check {i}: {string.Join("; ", report.Verdict.Findings)}");
        }

        await stop.CancelAsync();
        await stress;
        return tally;
    }

    private static async Task StressAsync(CheckedTree tree, Random random, Tally tally, CancellationToken token)
    {
        var files = Directory.GetFiles(tree.Root, "*", SearchOption.AllDirectories);
        var bytes = files.ToDictionary(file => file, ReadAll);
        while (!token.IsCancellationRequested)
        {
            Disturb(tree, random, files[random.Next(files.Length)], bytes);
            tally.Stresses++;
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, CancellationToken.None);
        }
    }

    private static void Disturb(CheckedTree tree, Random random, string file, Dictionary<string, byte[]> bytes)
    {
        switch (random.Next(8))
        {
            case 0:
                File.SetLastWriteTimeUtc(file, TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(-random.Next(1000)));
                break;
            case 1:
                if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | (random.Next(2) == 0 ? UnixFileMode.GroupRead : UnixFileMode.OtherRead));
                break;
            case 2:
                ReadAll(file);
                break;
            case 3 when bytes[file].Length > 0:
                using (var map = MemoryMappedFile.CreateFromFile(file, FileMode.Open, null, 0, MemoryMappedFileAccess.Read))
                using (var view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read))
                    for (var at = 0L; at < bytes[file].Length; at += 4096) view.ReadByte(at);
                break;
            case 4:
                var alias = Path.Combine(tree.Base, "backup");
                _ = Link(file, alias);
                File.Delete(alias);
                break;
            case 5:
                var notes = Path.Combine(tree.Root, "notes");
                File.WriteAllText(notes, "unrelated");
                File.Move(notes, notes + ".bak", overwrite: true);
                File.Delete(notes + ".bak");
                break;
            case 6:
                using (var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) stream.Write(bytes[file]);
                break;
            default:
                // A re-download: another inode with the same bytes takes the name.
                var fresh = file + ".incomplete";
                using (var stream = new FileStream(fresh, FileMode.Create)) stream.Write(bytes[file]);
                File.Move(fresh, file, overwrite: true);
                break;
        }
    }

    private static byte[] ReadAll(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string path, string alias);

    private sealed class Tally
    {
        public int Valid { get; set; }

        public List<FindingReason> CouldNot { get; } = [];

        public int Stresses { get; set; }

        public List<string> Invalid { get; } = [];
    }
}
