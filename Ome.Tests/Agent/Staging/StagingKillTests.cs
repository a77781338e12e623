using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Ome.Agent.Staging;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Manifests;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging;

/// <summary>
/// Staging by a real process that is killed, over connections that are cut: it ends byte-identical. A cut repeats nothing that arrived, a kill nothing that was
/// noted and no more than the chunks that were open.
/// </summary>
public sealed class StagingKillTests
{
    [Test, CancelAfter(120_000)]
    public Task Twice_killed_and_often_cut_it_ends_whole(CancellationToken cancellationToken) =>
        RunAsync(new Plan(Bytes: 288L << 20, Shards: 2, Connections: 2, Cuts: 20, Kills: 2), cancellationToken);

    [Test, Category("Campaign"), CancelAfter(1_800_000)]
    public Task Four_gibibytes_five_kills_two_hundred_cuts(CancellationToken cancellationToken) =>
        RunAsync(new Plan(Bytes: 4L << 30, Shards: 8, Connections: 8, Cuts: 200, Kills: 5), cancellationToken);

    private static async Task RunAsync(Plan plan, CancellationToken cancellationToken)
    {
        using var directory = new TempDirectory();
        ModelTree.Write(directory["source"], new ModelTreeOptions(TotalBytes: plan.Bytes, Shards: plan.Shards));
        await using var hub = await FakeHub.StartAsync(cancellationToken: cancellationToken);
        hub.AddDirectory("org/model", directory["source"]);
        var sizes = Directory.EnumerateFiles(directory["source"]).ToDictionary(file => Path.GetFileName(file), file => new FileInfo(file).Length, StringComparer.Ordinal);
        var expected = await DigestsAsync(directory["source"], cancellationToken);
        hub.Faults.CutRandomly(seed: 11, plan.Cuts, maxBytes: plan.Bytes / plan.Cuts);
        var destination = directory["models", "model"];
        var transfers = new RepeatedBytes(directory["models"], sizes);

        for (var kill = 1; kill <= plan.Kills; kill++)
        {
            using var agent = Start(hub, destination, plan.Connections);
            var said = TalkOf(agent);
            while (transfers.NotedFullChunks < transfers.FullChunks * kill / (plan.Kills + 1) && !agent.HasExited) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
            if (agent.HasExited) Assert.Fail("it ended too soon: " + await said);
            agent.Kill();
            await agent.WaitForExitAsync(cancellationToken);
            VisibleFiles(destination).Should().BeEmpty("no file has its name before all of them are proven");
            transfers.Killed(hub.Bodies);
        }

        using var last = Start(hub, destination, plan.Connections);
        var output = TalkOf(last);
        var seen = await FirstSightsAsync(last, destination, cancellationToken);

        last.ExitCode.Should().Be(0, await output);
        seen.Should().BeSubsetOf(expected, "what becomes visible is proven");
        (await DigestsAsync(destination, cancellationToken)).Should().BeEquivalentTo(expected);
        hub.Faults.RandomCutsLeft.Should().Be(0);
        hub.LeakedAuthorizations.Should().BeEmpty();
        transfers.Ended(hub.Bodies);
        TestContext.Out.WriteLine($"{sizes.Values.Sum()} bytes, {hub.BodyBytesSent} sent; {transfers}; {(await output).Trim()}");
        transfers.ArrivedAgainInOneLife.Should().BeEmpty("a cut goes on at the very next byte");
        transfers.NotedAndAskedAgain.Should().BeEmpty("a noted chunk is never fetched again");
        transfers.LostByKills.Should().BeLessThanOrEqualTo(plan.Kills * plan.Connections * (ArtifactManifest.ChunkSize + RepeatedBytes.UnreadAtMost), "a kill loses the open chunks");
    }

    /// <summary>Digest of each file as it is when its name is first seen, until the process ends.</summary>
    private static async Task<Dictionary<string, string>> FirstSightsAsync(Process agent, string destination, CancellationToken cancellationToken)
    {
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        var ended = agent.WaitForExitAsync(cancellationToken);
        while (await Task.WhenAny(ended, Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken)) != ended)
        {
            foreach (var name in VisibleFiles(destination).Where(name => !seen.ContainsKey(name)).ToList())
                seen[name] = await DigestAsync(Path.Combine(destination, name), cancellationToken);
        }

        await ended;
        return seen;
    }

    private static Process Start(FakeHub hub, string destination, int connections)
    {
        var agent = typeof(ArtifactStager).Assembly.Location;
        var start = new ProcessStartInfo("dotnet", [agent, "stage", "hf://org/model", destination, "--connections", connections.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["HF_ENDPOINT"] = hub.Endpoint;
        start.Environment["NO_PROXY"] = "127.0.0.1";
        start.Environment.Remove("ENDPOINT");
        return Process.Start(start)!;
    }

    /// <summary>Everything it writes, read while it runs so that its pipes never fill.</summary>
    private static async Task<string> TalkOf(Process process) =>
        string.Concat(await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync()));

    private static IEnumerable<string> VisibleFiles(string destination) => Directory.Exists(destination)
        ? Directory.EnumerateFiles(destination).Select(file => Path.GetFileName(file))
        : [];

    private static async Task<Dictionary<string, string>> DigestsAsync(string directory, CancellationToken cancellationToken)
    {
        var digests = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(directory)) digests[Path.GetFileName(path)] = await DigestAsync(path, cancellationToken);
        return digests;
    }

    private static async Task<string> DigestAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken));
    }

    private sealed record Plan(long Bytes, int Shards, int Connections, int Cuts, int Kills);
}
