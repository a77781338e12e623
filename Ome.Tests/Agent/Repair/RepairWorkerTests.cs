using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Ome.Agent.Repair;
using Ome.Agent.Staging;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Agent.Staging;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Repair;

/// <summary>Repair against the fake hub.</summary>
public sealed class RepairWorkerTests
{
    private const string Small = "tokenizer_config.json";
    private const string Large = "model-00001-of-00002.safetensors";

    [Test, CancelAfter(180_000)]
    public async Task A_damaged_file_is_replaced_and_the_others_are_left_alone(CancellationToken cancellationToken)
    {
        await using var bed = await StagedAsync(cancellationToken);
        var good = TestFiles.Tree(Place(bed));
        var others = Stamps(bed);
        Flip(bed, Small, 3);

        var repaired = (await RepairAsync(bed, Small, cancellationToken)).Should().BeOfType<RepairResult.Repaired>().Which;

        TestFiles.Tree(Place(bed)).Should().BeEquivalentTo(good);
        repaired.BytesFetched.Should().Be(good[Small].Length);
        repaired.UnreachedLinks.Should().Be(0);
        bed.Manifests[StagingBed.Key].Should().BeSameAs(repaired.Manifest);
        Stamps(bed).Where(file => file.Key != Small).Should().BeEquivalentTo(others.Where(file => file.Key != Small));
        Stamps(bed)[Small].Should().Be(repaired.Manifest.Entries.Single(entry => entry.Path.Value == Small).Stamp);
    }

    [Test, CancelAfter(180_000)]
    public async Task Only_the_bad_chunk_of_a_large_file_is_fetched(CancellationToken cancellationToken)
    {
        await using var bed = await StagedAsync(cancellationToken, bytes: 400_000_000);
        var before = await DigestAsync(bed, Large, cancellationToken);
        Flip(bed, Large, ArtifactManifest.ChunkSize + 5);

        var repaired = (await RepairAsync(bed, Large, cancellationToken, ArtifactManifest.ChunkSize)).Should().BeOfType<RepairResult.Repaired>().Which;

        repaired.BytesFetched.Should().Be(ArtifactManifest.ChunkSize);
        (await DigestAsync(bed, Large, cancellationToken)).Should().Be(before);
    }

    [Test, CancelAfter(180_000)]
    public async Task A_missing_file_comes_back(CancellationToken cancellationToken)
    {
        await using var bed = await StagedAsync(cancellationToken);
        var good = TestFiles.Tree(Place(bed));
        File.Delete(Place(bed) + "/" + Small);

        (await RepairAsync(bed, Small, cancellationToken, reason: FindingReason.FileMissing)).Should().BeOfType<RepairResult.Repaired>();

        TestFiles.Tree(Place(bed)).Should().BeEquivalentTo(good);
    }

    [Test, CancelAfter(180_000)]
    public async Task Whoever_has_the_file_open_keeps_the_old_bytes(CancellationToken cancellationToken)
    {
        await using var bed = await StagedAsync(cancellationToken);
        Flip(bed, Small, 3);
        var damaged = TestFiles.Bytes(Place(bed), Small);
        await using var open = File.OpenRead(Place(bed) + "/" + Small);

        await RepairAsync(bed, Small, cancellationToken);

        var seen = new byte[damaged.Length];
        await open.ReadExactlyAsync(seen, cancellationToken);
        seen.Should().Equal(damaged);
    }

    [Test, CancelAfter(180_000)]
    public async Task The_evidence_is_kept_within_its_bounds(CancellationToken cancellationToken)
    {
        await using var bed = await StagedAsync(cancellationToken);
        Flip(bed, Small, 3);
        var damaged = TestFiles.Bytes(Place(bed), Small);

        await RepairAsync(bed, Small, cancellationToken);
        TestFiles.Tree(bed.Layout.QuarantineRoot).Should().ContainSingle().Which.Value.Should().Equal(damaged);

        bed.Get<RepairOptions>().QuarantineBytes = damaged.Length;
        Flip(bed, "README.md", 1);
        await RepairAsync(bed, "README.md", cancellationToken);
        TestFiles.Tree(bed.Layout.QuarantineRoot).Should().ContainSingle().Which.Key.Should().EndWith("README.md", "the oldest makes room");
    }

    [Test, CancelAfter(180_000)]
    public async Task Evidence_goes_after_its_age(CancellationToken cancellationToken)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch);
        using var directory = new TempDirectory();
        var layout = new StagingLayout(directory.Path);
        var quarantine = new Quarantine(layout, new StagingDisk(), new RepairOptions(), time, NullLogger<Quarantine>.Instance);
        await File.WriteAllTextAsync(directory["damaged.bin"], "damaged", cancellationToken);
        quarantine.Keep(directory["damaged.bin"]).Should().NotBeNull();

        time.Advance(TimeSpan.FromHours(24));
        quarantine.TrySweep();
        Directory.EnumerateFiles(layout.QuarantineRoot).Should().ContainSingle();
        time.Advance(TimeSpan.FromSeconds(1));
        quarantine.TrySweep();
        Directory.EnumerateFiles(layout.QuarantineRoot).Should().BeEmpty();
    }

    [Test, CancelAfter(180_000)]
    public async Task Another_name_of_the_damaged_inode_is_repaired_with_it(CancellationToken cancellationToken)
    {
        await using var bed = await StagedAsync(cancellationToken);
        var good = TestFiles.Bytes(Place(bed), Small);
        Directory.CreateDirectory(bed.Root + "/other");
        new StagingDisk().Link(Place(bed) + "/" + Small, bed.Root + "/other/name.json");
        Flip(bed, Small, 3);

        await RepairAsync(bed, Small, cancellationToken);

        TestFiles.Bytes(bed.Root, "other", "name.json").Should().Equal(good);
    }

    [Test, CancelAfter(180_000)]
    public async Task Wrong_bytes_from_the_source_change_nothing_and_are_tried_again_later(CancellationToken cancellationToken)
    {
        await using var bed = await StagedAsync(cancellationToken);
        Flip(bed, Small, 3);
        var damaged = TestFiles.Tree(Place(bed));
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.WrongBytes, HubFaultScope.Body, Small, AfterBytes: 2));

        var failed = (await RepairAsync(bed, Small, cancellationToken, failures: 2)).Should().BeOfType<RepairResult.Failed>().Which;

        failed.Failure.Reason.Should().Be(StagingFailureReason.WrongBytes);
        failed.TryAgainAfter.Should().Be(TimeSpan.FromMinutes(4));
        TestFiles.Tree(Place(bed)).Should().BeEquivalentTo(damaged);
        (await RepairAsync(bed, Small, cancellationToken)).Should().BeOfType<RepairResult.Repaired>();
    }

    [Test, CancelAfter(180_000)]
    public async Task A_repair_cut_short_goes_on_where_it_was(CancellationToken cancellationToken)
    {
        await using var bed = await StagedAsync(cancellationToken);
        var good = TestFiles.Tree(Place(bed));
        Flip(bed, Small, 3);
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Status, HubFaultScope.Resolve, Times: int.MaxValue, Status: 503));
        (await RepairAsync(bed, Small, cancellationToken)).Should().BeOfType<RepairResult.Failed>();
        bed.Hub.Faults.Clear();
        bed.Restart();

        (await RepairAsync(bed, Small, cancellationToken)).Should().BeOfType<RepairResult.Repaired>();

        TestFiles.Tree(Place(bed)).Should().BeEquivalentTo(good);
        Directory.Exists(bed.Layout.SideDirectory(Place(bed)) + "-repair").Should().BeFalse();
    }

    [Test, CancelAfter(180_000)]
    public async Task A_model_damaged_all_over_is_staged_again_and_only_its_bad_files_are_fetched(CancellationToken cancellationToken)
    {
        await using var bed = await StagedAsync(cancellationToken);
        var good = TestFiles.Tree(Place(bed));

        // Silent damage: the stamp is what it was.
        var time = File.GetLastWriteTimeUtc(Place(bed) + "/" + Large);
        Flip(bed, Large, 1000);
        File.SetLastWriteTimeUtc(Place(bed) + "/" + Large, time);

        var needed = (await RepairAsync(bed, Large, cancellationToken)).Should().BeOfType<RepairResult.RestageNeeded>().Which;
        var staged = await bed.Stager.StageAsync(bed.Request("org/model") with { Damaged = needed.Damaged }, null, cancellationToken);

        staged.Should().BeOfType<StagingResult.Staged>().Which.Tally.BytesFetched.Should().Be(good[Large].Length);
        TestFiles.Tree(Place(bed)).Should().BeEquivalentTo(good);
    }

    private static async Task<StagingBed> StagedAsync(CancellationToken cancellationToken, long bytes = 400_000, int shards = 2)
    {
        var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        var source = bed.Root + "-source";
        ModelTree.Write(source, new ModelTreeOptions(TotalBytes: bytes, Shards: shards));
        bed.Hub.AddDirectory("org/model", source);
        (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Staged>();
        return bed;
    }

    private static Task<RepairResult> RepairAsync(
        StagingBed bed, string path, CancellationToken cancellationToken, long offset = 0, FindingReason reason = FindingReason.DigestMismatch, int failures = 0)
    {
        var finding = new FileFinding(ArtifactPath.Parse(path), reason, Offset: reason == FindingReason.DigestMismatch ? offset : null);
        return bed.Get<RepairWorker>().RepairAsync(new RepairRequest(bed.Request("org/model"), bed.Manifests[StagingBed.Key]!, [finding], failures), cancellationToken);
    }

    private static string Place(StagingBed bed) => bed.Destination("org-model");

    private static void Flip(StagingBed bed, string path, long at)
    {
        using var file = File.Open(Place(bed) + "/" + path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = at;
        var value = file.ReadByte();
        file.Position = at;
        file.WriteByte((byte)(value ^ 0x40));
    }

    private static Dictionary<string, FileStamp> Stamps(StagingBed bed) => Directory.EnumerateFiles(Place(bed))
        .ToDictionary(file => Path.GetFileName(file), file => new StagingDisk().Look(file)!.Value.Stamp, StringComparer.Ordinal);

    private static async Task<string> DigestAsync(StagingBed bed, string path, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(Place(bed) + "/" + path);
        return Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(file, cancellationToken));
    }
}
