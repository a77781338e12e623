using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Win32.SafeHandles;
using Ome.Agent.Staging;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging;

/// <summary>Full disks, local models, refused schemes, progress, limits.</summary>
public sealed class StagingFaultTests
{
    [Test, CancelAfter(180_000)]
    public async Task A_disk_that_fills_up_meanwhile_gives_a_clear_reason_and_its_room_back(CancellationToken cancellationToken)
    {
        var disk = new FillingDisk { Room = 150_000 };
        await using var bed = await ArtifactSharingTests.BedAsync(cancellationToken, disk);
        bed.Hub.Add("org/small", [KeyValuePair.Create("config.json", new byte[] { (byte)'{', (byte)'}' })]);

        var failure = (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Failed>().Which.Failure;

        failure.Reason.Should().Be(StagingFailureReason.DiskFull);
        failure.Message.Should().Contain(bed.Root);
        Directory.EnumerateFileSystemEntries(bed.Layout.StagingRoot).Should().BeEmpty();
        Directory.EnumerateFileSystemEntries(bed.Destination("org-model")).Should().BeEmpty();
        disk.Room = 100;
        (await bed.StageAsync("org/small", cancellationToken)).Should().BeOfType<StagingResult.Staged>("others are not affected");
        disk.Room = long.MaxValue;
        (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Staged>("and it recovers by itself");
    }

    [Test, CancelAfter(180_000)]
    public async Task A_real_file_system_that_is_full_gives_the_same_reason(CancellationToken cancellationToken)
    {
        using var mount = new SmallFileSystem(kibibytes: 700);
        if (mount.Refusal is { } refusal) Assert.Ignore("No small file system can be mounted here: " + refusal);
        await using var bed = await ArtifactSharingTests.BedAsync(cancellationToken);
        bed.Hub.Add("org/big", [KeyValuePair.Create("model.bin", new byte[1_000_000])]);
        using var sparse = new ServiceProviderOf(bed, mount.Path, new BlindDisk());

        var failure = (await sparse.Stager.StageAsync(bed.Request("org/big", mount.Path + "/big"), null, cancellationToken)).Should().BeOfType<StagingResult.Failed>().Which.Failure;

        failure.Reason.Should().Be(StagingFailureReason.DiskFull);
        new StagingDisk().FreeBytes(mount.Path).Should().BeGreaterThan(600 * 1024, "the room is given back");
        (await sparse.Stager.StageAsync(bed.Request("org/model", mount.Path + "/model"), null, cancellationToken)).Should().BeOfType<StagingResult.Staged>();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_local_model_is_listed_never_copied_and_its_digests_come_later(CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        var place = bed.Destination("local");
        ModelTree.Write(place);
        Directory.CreateDirectory(bed.Root + "/blobs");
        await File.WriteAllTextAsync(bed.Root + "/blobs/abc", "linked", cancellationToken);
        File.CreateSymbolicLink(place + "/linked.json", "../blobs/abc");

        var staged = (await LocalAsync(bed, place, cancellationToken)).Should().BeOfType<StagingResult.Staged>().Which;
        var again = (await LocalAsync(bed, place, cancellationToken)).Should().BeOfType<StagingResult.Staged>().Which;

        staged.Manifest.Trust.Should().Be(ManifestTrust.Local);
        staged.Manifest.Entries.Should().OnlyContain(entry => entry.Sha256 == null);
        staged.Manifest.Entries.Single(entry => entry.Path.Value == "linked.json").LinkTarget.Should().Be("../blobs/abc");
        staged.Manifest.Entries.Should().HaveCount(Directory.EnumerateFiles(place).Count());
        again.Manifest.Should().BeSameAs(bed.Manifests[StagingBed.Key], "nothing changed");
        Directory.Exists(bed.Layout.StagingRoot).Should().BeFalse();
    }

    [TestCase("missing", StagingFailureReason.NotFound)]
    [TestCase("empty", StagingFailureReason.NotFound)]
    [TestCase("escaping", StagingFailureReason.ListingInvalid)]
    [TestCase("dangling", StagingFailureReason.ListingInvalid)]
    [CancelAfter(120_000)]
    public async Task A_local_model_that_cannot_be_one_says_why(string kind, StagingFailureReason reason, CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        var place = bed.Destination(kind);
        if (kind != "missing") Directory.CreateDirectory(place);
        if (kind == "escaping") File.CreateSymbolicLink(place + "/config.json", "/etc/hostname");
        if (kind == "dangling") File.CreateSymbolicLink(place + "/config.json", "nowhere");

        (await LocalAsync(bed, place, cancellationToken)).Should().BeOfType<StagingResult.Failed>().Which.Failure.Reason.Should().Be(reason);
    }

    [TestCase("gs://bucket/object", "gs://")]
    [TestCase("az://account/container/blob", "az://")]
    [TestCase("github://owner/repo", "github://")]
    [TestCase("pvc://claim/path", "claim is mounted")]
    [CancelAfter(120_000)]
    public async Task W13_a_scheme_nobody_serves_is_refused_with_a_reason(string text, string says, CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        StorageUri.TryParse(text, out var uri, out _).Should().BeTrue();

        var result = await bed.Stager.StageAsync(new StagingRequest(StagingBed.Model(text), uri!, bed.Destination("x")), null, cancellationToken);

        var failure = result.Should().BeOfType<StagingResult.Failed>().Which.Failure;
        failure.Reason.Should().Be(StagingFailureReason.Refused);
        failure.Message.Should().Contain(says);
        failure.MayPass.Should().BeFalse();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_vendor_model_has_nothing_to_prove(CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        StorageUri.TryParse("vendor://a/b/c", out var uri, out _).Should().BeTrue();

        (await bed.Stager.StageAsync(new StagingRequest(StagingBed.Model("vendor://a/b/c"), uri!, ""), null, cancellationToken)).Should().BeOfType<StagingResult.NothingToProve>();
    }

    [Test, CancelAfter(120_000)]
    public async Task Progress_is_told_by_steps_of_five_percent_and_ends_complete(CancellationToken cancellationToken)
    {
        await using var bed = await ArtifactSharingTests.BedAsync(cancellationToken);
        var told = new List<StagingProgress>();

        await bed.StageAsync("org/model", cancellationToken, new Collect(told));

        told.Select(progress => progress.Phase).Distinct().Should().Equal(StagingPhase.Scanning, StagingPhase.Downloading, StagingPhase.Finalizing);
        told.Should().HaveCountLessThan(30);
        told.Select(progress => progress.CompletedBytes).Should().BeInAscendingOrder();
        told[^1].Should().Match<StagingProgress>(last => last.CompletedBytes == last.TotalBytes && last.CompletedFiles == last.TotalFiles && last.TotalFiles > 5);
    }

    [Test, CancelAfter(180_000)]
    public async Task The_bytes_per_second_are_kept(CancellationToken cancellationToken)
    {
        await using var bed = await ArtifactSharingTests.BedAsync(cancellationToken);
        bed.Options.BytesPerSecond = 200_000;
        bed.Restart();
        var started = Stopwatch.GetTimestamp();

        var staged = (await bed.StageAsync("org/model", cancellationToken)).Should().BeOfType<StagingResult.Staged>().Which;

        // A quarter of a second's worth is free; how much longer it takes is the machine's affair.
        Stopwatch.GetElapsedTime(started).TotalSeconds.Should().BeGreaterThan((staged.Tally.BytesFetched / 200_000.0) - 0.3);
    }

    [Test, CancelAfter(120_000)]
    public async Task One_destination_is_staged_once_at_a_time(CancellationToken cancellationToken)
    {
        await using var bed = await ArtifactSharingTests.BedAsync(cancellationToken);

        var both = await Task.WhenAll(bed.StageAsync("org/model", cancellationToken), bed.StageAsync("org/model", cancellationToken));

        both.Should().AllBeOfType<StagingResult.Staged>();
        both.Cast<StagingResult.Staged>().Count(staged => staged.Tally.BytesFetched > 0).Should().Be(1);
    }

    [Test, CancelAfter(120_000)]
    public async Task Side_directories_of_models_that_are_gone_are_swept(CancellationToken cancellationToken)
    {
        await using var bed = await ArtifactSharingTests.BedAsync(cancellationToken);
        Directory.CreateDirectory(bed.Layout.SideDirectory(bed.Destination("gone")));
        Directory.CreateDirectory(bed.Layout.RepairDirectory(bed.Destination("gone")));
        Directory.CreateDirectory(bed.Layout.SideDirectory(bed.Destination("kept")));
        Directory.CreateDirectory(bed.Layout.RepairDirectory(bed.Destination("kept")));

        await bed.Stager.SweepAsync(() => [bed.Destination("kept")], cancellationToken);

        Directory.EnumerateDirectories(bed.Layout.StagingRoot).Should().BeEquivalentTo(bed.Layout.SideDirectory(bed.Destination("kept")), bed.Layout.RepairDirectory(bed.Destination("kept")));
    }

    [Test, CancelAfter(120_000)]
    public async Task A_model_that_comes_while_side_directories_are_swept_loses_nothing(CancellationToken cancellationToken)
    {
        await using var bed = await ArtifactSharingTests.BedAsync(cancellationToken);
        var destination = bed.Destination("org-model");
        bed.Options.StallTimeout = TimeSpan.FromMinutes(5);
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Stall, HubFaultScope.Body, "model-00001-of-00002.safetensors", AfterBytes: 10));
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var staging = bed.StageAsync("org/model", cancel.Token);
        while (bed.Hub.Bodies.All(body => body.Path != "model-00001-of-00002.safetensors")) await Task.Yield();
        var known = false;

        // At its first look the sweep knows nothing of the model, whose staging holds the directory.
        var sweep = bed.Stager.SweepAsync(() => Volatile.Read(ref known) ? [destination] : [], cancellationToken);

        sweep.IsCompleted.Should().BeFalse();
        Directory.Exists(bed.Layout.SideDirectory(destination)).Should().BeTrue();
        Volatile.Write(ref known, true);
        await cancel.CancelAsync();
        await staging.Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();
        await sweep;
        Directory.Exists(bed.Layout.SideDirectory(destination)).Should().BeTrue("the next try goes on from it");
    }

    private static Task<StagingResult> LocalAsync(StagingBed bed, string place, CancellationToken cancellationToken)
    {
        StorageUri.TryParse("local://" + place, out var uri, out _).Should().BeTrue();
        return bed.Stager.StageAsync(new StagingRequest(StagingBed.Model("local://" + place), uri!, place), null, cancellationToken);
    }

    private sealed class Collect(List<StagingProgress> told) : IProgress<StagingProgress>
    {
        public void Report(StagingProgress value)
        {
            lock (told) told.Add(value);
        }
    }

    /// <summary>Has room for so many more bytes, and finds out only when writing.</summary>
    private sealed class FillingDisk : StagingDisk
    {
        private long _room;

        public long Room
        {
            get => Interlocked.Read(ref _room);
            set => Interlocked.Exchange(ref _room, value);
        }

        public override void Write(SafeFileHandle handle, ReadOnlySpan<byte> bytes, long offset)
        {
            if (Interlocked.Add(ref _room, -bytes.Length) < 0) throw Error(28, "write", "part");
            base.Write(handle, bytes, offset);
        }
    }

    /// <summary>Promises room that is not there and allocates nothing ahead: the write itself must fail.</summary>
    private sealed class BlindDisk : StagingDisk
    {
        public override long FreeBytes(string directory) => long.MaxValue;

        public override (SafeFileHandle Handle, bool Reserved) OpenPart(string path, long size) => base.OpenPart(path, 0);
    }

    /// <summary>A stager for another root on the same hub.</summary>
    private sealed class ServiceProviderOf : IDisposable
    {
        private readonly ServiceProvider _services;

        public ServiceProviderOf(StagingBed bed, string root, StagingDisk disk)
        {
            var services = new ServiceCollection();
            services.AddLogging();
            services.AddStaging();
            services.AddSingleton(bed.Options);
            services.AddSingleton(bed.HubOptions);
            services.AddSingleton<ISecretReader>(new NoSecrets());
            services.AddSingleton<IManifestStore>(bed.Manifests);
            services.AddSingleton<IArtifactRecords>(bed.Records);
            services.AddSingleton(new StagingLayout(root));
            services.AddSingleton(disk);
            _services = services.BuildServiceProvider();
        }

        public ArtifactStager Stager => _services.GetRequiredService<ArtifactStager>();

        public void Dispose() => _services.Dispose();
    }

    /// <summary>A tmpfs of its own, where the user may mount one.</summary>
    private sealed class SmallFileSystem : IDisposable
    {
        private readonly TempDirectory _directory = new();

        public SmallFileSystem(int kibibytes) => Refusal = Run("mount", "-t", "tmpfs", "-o", $"size={kibibytes}k", "tmpfs", _directory.Path);

        public string? Refusal { get; }

        public string Path => _directory.Path;

        public void Dispose()
        {
            if (Refusal is null) Run("umount", _directory.Path);
            _directory.Dispose();
        }

        private static string? Run(string command, params string[] arguments)
        {
            try
            {
                using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
                var said = process.StandardError.ReadToEnd();
                process.WaitForExit();
                return process.ExitCode == 0 ? null : said.Trim();
            }
            catch (System.ComponentModel.Win32Exception e)
            {
                return e.Message;
            }
        }
    }
}
