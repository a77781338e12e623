using System.Security.Cryptography;
using Ome.Agent.Staging;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Manifests;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging;

/// <summary>What staging promises, against the fake hub.</summary>
public sealed class ArtifactStagerTests
{
    private const string Shard = "model-00001-of-00002.safetensors";

    [Test, CancelAfter(120_000)]
    public async Task A_model_is_staged_byte_for_byte_with_its_manifest(CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        var files = AddModel(bed);

        var result = await bed.StageAsync("org/model", cancellationToken);

        var staged = result.Should().BeOfType<StagingResult.Staged>(result.ToString()).Which;
        TestFiles.Tree(bed.Destination("org-model")).Should().BeEquivalentTo(files);
        staged.Tally.Should().Be(new StagingTally(files.Values.Sum(bytes => (long)bytes.Length), 0, 0));
        staged.Manifest.Trust.Should().Be(ManifestTrust.Upstream);
        staged.Manifest.Source.Revision.Should().Be(bed.Hub.Repository("org/model").Head);
        staged.Manifest.Entries.Should().AllSatisfy(entry =>
        {
            entry.Sha256!.Value.Hex.Should().Be(Convert.ToHexStringLower(SHA256.HashData(files[entry.Path.Value])));
            entry.Upstream.Should().ContainSingle();
            entry.Chunks.Should().Equal(files[entry.Path.Value].Length == 0 ? [] : [System.IO.Hashing.XxHash128.HashToUInt128(files[entry.Path.Value])]);
            entry.Stamp.Size.Should().Be(files[entry.Path.Value].Length);
        });
        bed.Manifests[StagingBed.Key].Should().BeSameAs(staged.Manifest);
        Directory.Exists(bed.Layout.StagingRoot + "/" + StagingLayout.IdOf(bed.Destination("org-model"))).Should().BeFalse("nothing is left behind");
        bed.Hub.LeakedAuthorizations.Should().BeEmpty();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_complete_model_needs_no_hub_after_a_restart(CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        AddModel(bed);
        await bed.StageAsync("org/model", cancellationToken);
        var asked = bed.Hub.Requests.Count;
        bed.Restart();

        var result = await bed.StageAsync("org/model", cancellationToken);

        result.Should().BeOfType<StagingResult.Staged>().Which.Tally.BytesFetched.Should().Be(0);
        bed.Hub.Requests.Count.Should().Be(asked);
    }

    [Test, CancelAfter(120_000)]
    public async Task Cuts_and_stalls_cost_only_reconnects(CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        var files = AddModel(bed);
        bed.Hub.Faults.CutRandomly(seed: 7, cuts: 40, maxBytes: 60_000);
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Stall, HubFaultScope.Body, Shard, AfterBytes: 70_000));
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Truncate, HubFaultScope.Body, "tokenizer.json", AfterBytes: 100));
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.IgnoreRange, HubFaultScope.Body, "tokenizer.json"));

        var result = await bed.StageAsync("org/model", cancellationToken);

        var staged = result.Should().BeOfType<StagingResult.Staged>(result.ToString()).Which;
        TestFiles.Tree(bed.Destination("org-model")).Should().BeEquivalentTo(files);
        staged.Tally.BytesFetched.Should().Be(files.Values.Sum(bytes => (long)bytes.Length), "a cut repeats no byte");
        staged.Tally.Reconnects.Should().BePositive();
        bed.Hub.Faults.RandomCutsLeft.Should().BeLessThan(40);
    }

    [Test, CancelAfter(120_000)]
    public async Task Wrong_bytes_once_are_fetched_again(CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        var files = AddModel(bed);
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.WrongBytes, HubFaultScope.Body, Shard, AfterBytes: 5));

        (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Staged>();

        TestFiles.Tree(bed.Destination("org-model")).Should().BeEquivalentTo(files);
    }

    [Test, CancelAfter(120_000)]
    public async Task Wrong_bytes_twice_are_a_failure_and_nothing_becomes_visible(CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        var files = AddModel(bed);
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.WrongBytes, HubFaultScope.Body, Shard, Times: 2, AfterBytes: 50_000));

        var failure = (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Failed>().Which.Failure;

        failure.Reason.Should().Be(StagingFailureReason.WrongBytes);
        failure.Path!.Value.Value.Should().Be(Shard);
        failure.Message.Should().Contain("sha256:" + Convert.ToHexStringLower(SHA256.HashData(files[Shard])));
        TestFiles.Tree(bed.Destination("org-model")).Should().BeEmpty();
        bed.Manifests[StagingBed.Key].Should().BeNull();

        (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Staged>("the hub gives good bytes again");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_branch_that_moves_meanwhile_cannot_mix_files(CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        var files = AddModel(bed);
        var first = bed.Hub.Repository("org/model").Head;

        // The first try dies between files; the branch moves; the second goes on with what it began.
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Status, HubFaultScope.Resolve, Shard, Times: 100, Status: 503));
        (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Failed>();
        bed.Hub.Repository("org/model").Put("config.json", [1, 2, 3]);
        bed.Hub.Faults.Clear();
        bed.Restart();

        var staged = (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Staged>().Which;

        staged.Manifest.Source.Revision.Should().Be(first);
        TestFiles.Tree(bed.Destination("org-model")).Should().BeEquivalentTo(files);
    }

    [Test, CancelAfter(120_000)]
    public async Task Files_of_an_agent_without_manifests_are_proven_not_fetched(CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        var files = AddModel(bed);
        foreach (var (path, bytes) in files)
        {
            Directory.CreateDirectory(bed.Destination("org-model"));
            await File.WriteAllBytesAsync(bed.Destination("org-model") + "/" + path, bytes, cancellationToken);
        }

        var damaged = files[Shard].ToArray();
        damaged[1000] ^= 1;
        await File.WriteAllBytesAsync(bed.Destination("org-model") + "/" + Shard, damaged, cancellationToken);

        var staged = (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Staged>().Which;

        staged.Tally.BytesFetched.Should().Be(files[Shard].Length, "only the damaged one is fetched");
        TestFiles.Tree(bed.Destination("org-model")).Should().BeEquivalentTo(files);
    }

    [Test, CancelAfter(120_000)]
    public async Task Cancelling_ends_what_stalls_and_the_next_call_goes_on(CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        var files = AddModel(bed);
        bed.Options.StallTimeout = TimeSpan.FromMinutes(5);
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Stall, HubFaultScope.Body, Shard, AfterBytes: 10));
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var staging = bed.StageAsync("org/model", cancel.Token);
        while (bed.Hub.Bodies.All(body => body.Path != Shard)) await Task.Yield();

        await cancel.CancelAsync();

        // The stall ends after five minutes only.
        (await Task.WhenAny(staging, Task.Delay(TimeSpan.FromSeconds(60), TimeProvider.System, cancellationToken))).Should().BeSameAs(staging);
        await staging.Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();
        (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Staged>();
        TestFiles.Tree(bed.Destination("org-model")).Should().BeEquivalentTo(files);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_new_revision_replaces_files_and_removes_those_it_no_longer_has(CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        var files = AddModel(bed);
        await bed.StageAsync("org/model", cancellationToken);
        var next = files.Where(file => file.Key != "README.md").ToDictionary(StringComparer.Ordinal);
        next["config.json"] = [.. files["config.json"], (byte)'\n'];
        var sha = bed.Hub.Add("org/model", next).Head;

        var request = bed.Request("org/model@" + sha, bed.Destination("org-model"));
        var staged = (await bed.Stager.StageAsync(request, null, cancellationToken)).Should().BeOfType<StagingResult.Staged>().Which;

        TestFiles.Tree(bed.Destination("org-model")).Where(file => file.Key != "README.md").Should().BeEquivalentTo(next);
        staged.Tally.BytesFetched.Should().Be(next["config.json"].Length);
    }

    [TestCase("a", "a/b")]
    [TestCase("a/b", "a")]
    [TestCase("a/b", "c")]
    [CancelAfter(120_000)]
    public async Task A_file_that_is_no_longer_listed_goes_whatever_has_its_name_now(string gone, string next, CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        var destination = bed.Destination("org-model");
        await StageFormerAsync(bed, gone, cancellationToken);
        if (next == "c") Directory.Delete(destination + "/a", recursive: true);
        bed.Hub.Add("org/model", [KeyValuePair.Create("config.json", "{}"u8.ToArray()), KeyValuePair.Create(next, new byte[] { 2 })]);

        var result = await bed.StageAsync("org/model", cancellationToken);

        result.Should().BeOfType<StagingResult.Staged>(result.ToString());
        Directory.EnumerateFiles(destination, "*", SearchOption.AllDirectories).Should().BeEquivalentTo(destination + "/config.json", destination + "/" + next);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_file_behind_a_link_is_not_the_one_that_goes(CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        using var outside = new TempDirectory();
        await StageFormerAsync(bed, "a/b", cancellationToken);
        await File.WriteAllTextAsync(outside["b"], "somebody's", cancellationToken);
        Directory.Delete(bed.Destination("org-model") + "/a", recursive: true);
        Directory.CreateSymbolicLink(bed.Destination("org-model") + "/a", outside.Path);
        bed.Hub.Add("org/model", [KeyValuePair.Create("config.json", "{}"u8.ToArray())]);

        (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Staged>();

        File.Exists(outside["b"]).Should().BeTrue();
    }

    [Test, CancelAfter(120_000)]
    public async Task Too_little_room_is_said_before_anything_is_fetched(CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        AddModel(bed);
        bed.Options.FreeSpaceReserve = long.MaxValue / 2;

        var failure = (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Failed>().Which.Failure;

        failure.Reason.Should().Be(StagingFailureReason.DiskFull);
        bed.Hub.BodyBytesSent.Should().Be(0);
        Directory.EnumerateFileSystemEntries(bed.Layout.StagingRoot).Should().BeEmpty();
    }

    [TestCase("/etc")]
    [TestCase("ROOT")]
    [TestCase("ROOT/../x")]
    [TestCase("ROOT/.ome/x")]
    [TestCase("ROOT/link/x")]
    [CancelAfter(120_000)]
    public async Task A_place_that_is_not_ours_is_refused(string destination, CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        AddModel(bed);
        Directory.CreateSymbolicLink(bed.Root + "/link", "/tmp");

        var request = bed.Request("org/model", destination.Replace("ROOT", bed.Root, StringComparison.Ordinal));
        var failure = (await bed.Stager.StageAsync(request, null, cancellationToken)).Should().BeOfType<StagingResult.Failed>().Which.Failure;

        failure.Reason.Should().Be(StagingFailureReason.PathRefused);
        bed.Hub.Requests.Should().BeEmpty();
    }

    [Test, CancelAfter(120_000)]
    public async Task An_agent_that_dies_while_it_takes_up_a_half_filled_file_forgets_no_chunk(CancellationToken cancellationToken)
    {
        using var directory = new TempDirectory();
        var file = new ArtifactFile(ArtifactPath.Parse("model.bin"), ArtifactManifest.ChunkSize + 5, []);
        var chunk = new byte[ArtifactManifest.ChunkSize];
        using (var part = await PartFile.OpenAsync(new StagingDisk(), directory["0.part"], file, 0, cancellationToken))
        {
            part.Write(chunk, 0);
            part.Complete(0, System.IO.Hashing.XxHash128.HashToUInt128(chunk));
        }

        await FluentActions.Awaiting(() => PartFile.OpenAsync(new DyingDisk(), directory["0.part"], file, 0, cancellationToken)).Should().ThrowAsync<IOException>();

        using var again = await PartFile.OpenAsync(new StagingDisk(), directory["0.part"], file, 0, cancellationToken);
        again.ProvenBytes.Should().Be(ArtifactManifest.ChunkSize);
    }

    /// <summary>Gets no further than the first rename.</summary>
    private sealed class DyingDisk : StagingDisk
    {
        public override void Rename(string from, string to) => throw Error(5, "rename", to);
    }

    /// <summary>Stages a model of two files at a commit that the hub then deletes, and damages it so that it must be staged again.</summary>
    private static async Task StageFormerAsync(StagingBed bed, string file, CancellationToken cancellationToken)
    {
        bed.Hub.Add("org/model", [KeyValuePair.Create("config.json", "{}"u8.ToArray()), KeyValuePair.Create(file, new byte[] { 1 })]);
        var former = (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Staged>().Which.Manifest;
        var deleted = former.Source with { Revision = new string('0', 40) };
        await bed.Manifests.SaveAsync(StagingBed.Key, new ArtifactManifest(deleted, former.Trust, former.CreatedAt, former.Entries));
        File.Delete(bed.Destination("org-model") + "/config.json");
    }

    private static SortedDictionary<string, byte[]> AddModel(StagingBed bed)
    {
        using var directory = new TempDirectory();
        ModelTree.Write(directory.Path);
        var files = TestFiles.Tree(directory.Path);
        bed.Hub.Add("org/model", files);
        return files;
    }
}
