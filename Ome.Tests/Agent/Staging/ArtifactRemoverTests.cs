using Microsoft.Extensions.Hosting;
using Ome.Agent.Staging;
using Ome.Shared.Domain.Models;
using static Ome.Tests.Agent.Staging.ArtifactSharingTests;

namespace Ome.Tests.Agent.Staging;

/// <summary>Removal on the node: the rows of contract 10.5 that are the remover's (D12 to D14 are the model worker's).</summary>
public sealed class ArtifactRemoverTests
{
    private static readonly ModelKey Parent = ModelKey.Cluster("p");
    private static readonly ModelKey Child = ModelKey.Cluster("c");

    [Test, CancelAfter(120_000)]
    public async Task D01_an_oci_model_with_its_own_path_goes_and_its_bytes_follow(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        Put(bed, "p/a/model.bin");

        var result = await RemoveAsync(bed, Parent, "oci://n/ns/b/bucket/o/p", cancellationToken: cancellationToken);

        result.Should().BeOfType<RemovalResult.Removed>();
        Directory.Exists(Place(bed, Parent)).Should().BeFalse();
        bed.Get<Trash>().Empty(cancellationToken).Should().BeTrue();
        Directory.EnumerateFileSystemEntries(bed.Layout.TrashRoot).Should().BeEmpty();
    }

    [TestCase("p")]
    [TestCase("p/nested")]
    [CancelAfter(120_000)]
    public async Task D02_files_another_model_needs_stay(string other, CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        Put(bed, "p/model.bin");

        var result = await RemoveAsync(bed, Parent, "oci://bucket/p", others: [bed.Destination(other)], cancellationToken: cancellationToken);

        result.Should().BeOfType<RemovalResult.Kept>();
        File.Exists(Place(bed, Parent) + "/model.bin").Should().BeTrue();
    }

    [TestCase(true)]
    [TestCase(false)]
    [CancelAfter(120_000)]
    public async Task D03_D04_the_reserve_label_decides(bool keepsFiles, CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        Put(bed, "p/model.bin");

        await RemoveAsync(bed, Parent, "oci://bucket/p", keepsFiles: keepsFiles, cancellationToken: cancellationToken);

        Directory.Exists(Place(bed, Parent)).Should().Be(keepsFiles);
    }

    [Test, CancelAfter(120_000)]
    public async Task D05_a_model_with_children_keeps_its_files(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await SharedAsync(bed, cancellationToken);

        (await RemoveAsync(bed, Parent, cancellationToken: cancellationToken)).Should().BeOfType<RemovalResult.Kept>();

        Directory.Exists(Place(bed, Parent)).Should().BeTrue();
    }

    [Test, CancelAfter(120_000)]
    public async Task D06_a_hub_model_without_children_goes(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);

        await RemoveAsync(bed, Parent, cancellationToken: cancellationToken);

        Directory.Exists(Place(bed, Parent)).Should().BeFalse();
    }

    [Test, CancelAfter(120_000)]
    public async Task D07_a_child_takes_only_its_link_and_its_parent_forgets_it(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await SharedAsync(bed, cancellationToken);

        await RemoveAsync(bed, Child, cancellationToken: cancellationToken);

        new FileInfo(Place(bed, Child)).LinkTarget.Should().BeNull();
        File.Exists(Place(bed, Parent) + "/config.json").Should().BeTrue();
        bed.Records[Parent.DataKey]!.Config!.Artifact.ChildrenPaths.Should().BeEmpty();
    }

    [Test, CancelAfter(120_000)]
    public async Task D08_the_last_child_of_a_parent_that_is_gone_takes_the_files_too(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await SharedAsync(bed, cancellationToken);
        bed.Records.Data.Remove(Parent.DataKey);

        var result = await RemoveAsync(bed, Child, cancellationToken: cancellationToken);

        result.Should().BeOfType<RemovalResult.Removed>().Which.Paths.Should().Equal(Place(bed, Child), Place(bed, Parent));
        Directory.Exists(Place(bed, Parent)).Should().BeFalse();
    }

    [Test, CancelAfter(120_000)]
    public async Task D09_the_files_stay_while_another_link_leads_to_them(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await SharedAsync(bed, cancellationToken);
        bed.Records.Data.Remove(Parent.DataKey);
        Directory.CreateDirectory(bed.Root + "/deep/er");
        Directory.CreateSymbolicLink(bed.Root + "/deep/er/other", "../../p");

        await RemoveAsync(bed, Child, cancellationToken: cancellationToken);

        new FileInfo(Place(bed, Child)).LinkTarget.Should().BeNull();
        Directory.Exists(Place(bed, Parent)).Should().BeTrue();
    }

    [Test, CancelAfter(120_000)]
    public async Task D09_the_files_stay_when_the_search_for_links_failed(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken, new BlindDisk());
        await SharedAsync(bed, cancellationToken);
        bed.Records.Data.Remove(Parent.DataKey);
        Directory.CreateDirectory(bed.Root + "/unreadable");

        await RemoveAsync(bed, Child, cancellationToken: cancellationToken);

        Directory.Exists(Place(bed, Parent)).Should().BeTrue();
    }

    [TestCase("absent")]
    [TestCase("unparsable")]
    [TestCase("no artifact")]
    [TestCase("unreadable")]
    [CancelAfter(120_000)]
    public async Task D10_without_knowing_who_shares_files_they_stay_and_it_is_told(string entry, CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);
        bed.Records.IsUnreadable = entry == "unreadable";
        if (entry == "absent") bed.Records.Data.Clear();
        if (entry == "unparsable") bed.Records.Data[Parent.DataKey] = "?";
        if (entry == "no artifact") bed.Records.Data[Parent.DataKey] = """{"name":"p","status":"Ready"}""";

        var result = await RemoveAsync(bed, Parent, cancellationToken: cancellationToken);

        result.Should().BeOfType<RemovalResult.Kept>().Which.IsNotable.Should().BeTrue();
        Directory.Exists(Place(bed, Parent)).Should().BeTrue();
        bed.Logs.Lines.Should().Contain(line => line.Contains(Place(bed, Parent), StringComparison.Ordinal) && line.Contains("Warning", StringComparison.Ordinal));
    }

    [TestCase("local:///x")]
    [TestCase("vendor://v/t/p")]
    [TestCase("pvc://claim/path")]
    [CancelAfter(120_000)]
    public async Task D11_files_that_are_not_ours_are_never_touched(string uri, CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        Put(bed, "p/model.bin");

        (await RemoveAsync(bed, Parent, uri, cancellationToken: cancellationToken)).Should().BeOfType<RemovalResult.Kept>();

        File.Exists(Place(bed, Parent) + "/model.bin").Should().BeTrue();
    }

    [TestCase("/")]
    [TestCase("ROOT")]
    [TestCase("ROOT/..")]
    [TestCase("ROOT/p/../../x")]
    [TestCase("ROOT/.ome/models")]
    [TestCase("ROOT/out/x")]
    [TestCase("/etc")]
    [CancelAfter(120_000)]
    public async Task D15_a_place_that_is_not_ours_is_never_removed(string destination, CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        var outside = Directory.CreateDirectory(bed.Root + "-outside/x").FullName;
        Directory.CreateSymbolicLink(bed.Root + "/out", bed.Root + "-outside");
        Directory.CreateDirectory(bed.Root + "/.ome/models");

        var result = await RemoveAsync(
            bed, Parent, "oci://bucket/p", destination.Replace("ROOT", bed.Root, StringComparison.Ordinal), cancellationToken: cancellationToken);

        result.Should().BeOfType<RemovalResult.Kept>().Which.IsNotable.Should().BeTrue();
        Directory.Exists(outside).Should().BeTrue();
        Directory.Exists(bed.Root + "/.ome/models").Should().BeTrue();
    }

    [Test, CancelAfter(120_000)]
    public async Task D16_a_model_whose_uri_was_never_understood_goes_without_files(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        Put(bed, "p/model.bin");

        (await RemoveAsync(bed, Parent, null, cancellationToken: cancellationToken)).Should().BeOfType<RemovalResult.Kept>();

        File.Exists(Place(bed, Parent) + "/model.bin").Should().BeTrue();
    }

    [Test, CancelAfter(120_000)]
    public async Task W33_a_removal_that_fails_says_so_and_succeeds_later(CancellationToken cancellationToken)
    {
        var disk = new StuckDisk { IsStuck = true };
        await using var bed = await BedAsync(cancellationToken, disk);
        Put(bed, "p/model.bin");

        (await RemoveAsync(bed, Parent, "oci://bucket/p", cancellationToken: cancellationToken)).Should().BeOfType<RemovalResult.Failed>();
        disk.IsStuck = false;
        (await RemoveAsync(bed, Parent, "oci://bucket/p", cancellationToken: cancellationToken)).Should().BeOfType<RemovalResult.Removed>();
    }

    [Test, CancelAfter(120_000)]
    public async Task The_agent_deletes_in_the_background_what_was_removed_also_before_it_started(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        Put(bed, "p/model.bin");
        await RemoveAsync(bed, Parent, "oci://bucket/p", cancellationToken: cancellationToken);
        var running = bed.Get<IEnumerable<IHostedService>>().Single();
        using var watcher = new FileSystemWatcher(bed.Layout.TrashRoot);
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Deleted += (_, _) => gone.TrySetResult();
        watcher.EnableRaisingEvents = true;

        await running.StartAsync(cancellationToken);

        await gone.Task.WaitAsync(cancellationToken);
        Directory.EnumerateFileSystemEntries(bed.Layout.TrashRoot).Should().BeEmpty();
        await running.StopAsync(cancellationToken);
    }

    [Test, CancelAfter(120_000)]
    public async Task Models_that_go_at_the_same_moment_all_go(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken, new MeetingDisk());
        var trash = bed.Get<Trash>();
        for (var round = 0; round < 500; round++)
        {
            // The collector is between two waits: it has taken the last signal and does not listen for the next.
            using (var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
            {
                var running = trash.RunAsync(stop.Token);
                await stop.CancelAsync();
                await running.Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();
            }

            Directory.CreateDirectory(Place(bed, Parent));
            Directory.CreateDirectory(Place(bed, Child));

            var taken = await Task.WhenAll(Task.Run(() => trash.Take(Place(bed, Parent)), cancellationToken), Task.Run(() => trash.Take(Place(bed, Child)), cancellationToken));

            taken.Should().Equal(true, true);
        }
    }

    [Test, CancelAfter(120_000)]
    public async Task Removing_gives_back_what_an_unfinished_staging_holds(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        Directory.CreateDirectory(bed.Layout.SideDirectory(Place(bed, Parent)));
        Put(bed, "p/model.bin");

        await RemoveAsync(bed, Parent, "oci://bucket/p", cancellationToken: cancellationToken);

        Directory.Exists(bed.Layout.SideDirectory(Place(bed, Parent))).Should().BeFalse();
    }

    private static async Task SharedAsync(StagingBed bed, CancellationToken cancellationToken)
    {
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);
        await StageAsync(bed, Child, DownloadPolicy.ReuseIfExists, cancellationToken);
    }

    private static void Put(StagingBed bed, string path)
    {
        var full = bed.Destination(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, "weights");
    }

    private static async Task<RemovalResult> RemoveAsync(
        StagingBed bed, ModelKey key, string? uri = "hf://org/model", string? destination = null, bool keepsFiles = false, string[]? others = null,
        CancellationToken cancellationToken = default)
    {
        StorageUri? parsed = null;
        if (uri is not null) StorageUri.TryParse(uri, out parsed, out _).Should().BeTrue();
        IReadOnlyList<ModelKey> OthersAt(string directory) =>
            (others ?? []).Any(other => DestinationRule.Overlap(other, directory)) ? [ModelKey.Cluster("other")] : [];
        return await bed.Get<ArtifactRemover>().RemoveAsync(new RemovalRequest(key, parsed, destination ?? Place(bed, key), keepsFiles, OthersAt), cancellationToken);
    }

    private static async Task<StagingBed> BedAsync(CancellationToken cancellationToken, StagingDisk? disk = null) =>
        await ArtifactSharingTests.BedAsync(cancellationToken, disk);

    /// <summary>Cannot look into one directory.</summary>
    private sealed class BlindDisk : StagingDisk
    {
        public override DiskEntry? Look(string path) =>
            path.EndsWith("/unreadable", StringComparison.Ordinal) ? throw Error(13, "stat", path) : base.Look(path);
    }

    /// <summary>Lets two removals go on together after their rename.</summary>
    private sealed class MeetingDisk : StagingDisk
    {
        private int _arrived;

        public override void FlushDirectory(string path)
        {
            var own = Interlocked.Increment(ref _arrived);
            while (Volatile.Read(ref _arrived) < own + (own % 2)) Thread.SpinWait(1);
        }
    }

    /// <summary>Cannot rename.</summary>
    private sealed class StuckDisk : StagingDisk
    {
        public bool IsStuck { get; set; }

        public override void Rename(string from, string to)
        {
            if (IsStuck) throw Error(16, "rename", to);
            base.Rename(from, to);
        }
    }
}
