using System.Diagnostics;
using System.Security.Cryptography;
using Ome.Agent.Staging;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Manifests;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging;

/// <summary>Staging by a real process that is killed, over connections that are cut: it ends byte-identical and repeats no more than it must.</summary>
public sealed class StagingKillTests
{
    /// <summary>What a reset can throw away between the fake's write and the agent's read: buffers of both sockets and of Kestrel.</summary>
    private const long InFlight = 12L << 20;

    [Test, CancelAfter(120_000)]
    public Task Twice_killed_and_often_cut_it_ends_whole(CancellationToken cancellationToken) =>
        RunAsync(bytes: 560_000_000, shards: 2, cuts: 20, kills: 2, cancellationToken);

    [Test, Category("Campaign"), CancelAfter(1_800_000)]
    public Task Four_gibibytes_five_kills_two_hundred_cuts(CancellationToken cancellationToken) =>
        RunAsync(bytes: 4L << 30, shards: 8, cuts: 200, kills: 5, cancellationToken);

    /// <summary>One connection for each of at most four files: what a file repeats can then be read off the order of its answers.</summary>
    private static async Task RunAsync(long bytes, int shards, int cuts, int kills, CancellationToken cancellationToken)
    {
        var connections = Math.Min(shards, 4);
        using var directory = new TempDirectory();
        ModelTree.Write(directory["source"], new ModelTreeOptions(TotalBytes: bytes, Shards: shards));
        await using var hub = await FakeHub.StartAsync(cancellationToken: cancellationToken);
        hub.AddDirectory("org/model", directory["source"]);
        var expected = await DigestsAsync(directory["source"], cancellationToken);
        var total = Directory.EnumerateFiles(directory["source"]).Sum(file => new FileInfo(file).Length);
        hub.Faults.CutRandomly(seed: 11, cuts, maxBytes: total / cuts);
        var destination = directory["models", "model"];

        for (var kill = 1; kill <= kills; kill++)
        {
            using var agent = Start(hub, destination, connections);
            var said = TalkOf(agent);
            while (hub.BodyBytesSent < total * kill / (kills + 1) && !agent.HasExited) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
            if (agent.HasExited) Assert.Fail("it ended too soon: " + await said);
            agent.Kill();
            await agent.WaitForExitAsync(cancellationToken);
            VisibleFiles(destination).Should().BeEmpty("no file has its name before all of them are proven");
        }

        using var last = Start(hub, destination, connections);
        var output = TalkOf(last);
        await last.WaitForExitAsync(cancellationToken);

        last.ExitCode.Should().Be(0, await output);
        (await DigestsAsync(destination, cancellationToken)).Should().BeEquivalentTo(expected);
        hub.Faults.RandomCutsLeft.Should().Be(0);
        hub.LeakedAuthorizations.Should().BeEmpty();
        var repeats = Repeats(hub.Bodies);
        TestContext.Out.WriteLine(
            $"{total} bytes, {hub.BodyBytesSent - total} sent twice in {repeats.Count} repeats, largest {repeats.DefaultIfEmpty().Max()}; {await output}");
        (await output).Should().NotContain(" 0 were there", "the killed ones' chunks are used");
        // Once other files are done a file may have several connections, whose answers interleave: only the sum tells what was fetched for nothing.
        var lost = (kills * connections * ArtifactManifest.ChunkSize) + ((cuts + (kills * connections)) * InFlight);
        (hub.BodyBytesSent - total).Should().BeLessThan(lost, "a kill loses the open chunks, a cut what was in flight");
    }

    /// <summary>For each answer that begins before the end of an earlier one of the same file: by how many bytes.</summary>
    private static List<long> Repeats(IEnumerable<HubBody> bodies)
    {
        var repeats = new List<long>();
        foreach (var file in bodies.GroupBy(body => body.Path))
        {
            long reached = 0;
            foreach (var body in file)
            {
                if (body.Offset < reached) repeats.Add(reached - body.Offset);
                reached = body.Offset + body.Sent;
            }
        }

        return repeats;
    }

    private static Process Start(FakeHub hub, string destination, int connections)
    {
        var agent = typeof(ArtifactStager).Assembly.Location;
        var start = new ProcessStartInfo("dotnet", [agent, "stage", "hf://org/model", destination, "--connections", $"{connections}"])
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
        foreach (var path in Directory.EnumerateFiles(directory))
        {
            await using var file = File.OpenRead(path);
            digests[Path.GetFileName(path)] = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken));
        }

        return digests;
    }
}
