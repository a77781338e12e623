using System.Text.Json;
using k8s.Models;
using Microsoft.Extensions.Hosting;
using Ome.Agent.Staging;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Kube;
using Ome.Tests.Support;
using static Ome.Tests.Agent.Staging.ArtifactSharingTests;

namespace Ome.Tests.Agent.Staging;

/// <summary>Removal on the node: the rows of contract 10.5 that are the remover's (D12 to D14 are the model worker's).</summary>
public sealed class ArtifactRemoverTests
{
    private static readonly ModelKey Parent = ModelKey.Cluster("p");
    private static readonly ModelKey Child = ModelKey.Cluster("c");

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { "contract/removal.json", "remove" })]
    public async Task Remove(JsonElement row)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var state = row.Text("state") ?? "";
        await using var bed = await BedAsync(stop.Token, state.EndsWith("search fails", StringComparison.Ordinal) ? new BlindDisk() : null);
        var model = state.StartsWith("child", StringComparison.Ordinal) ? Child : Parent;
        await PrepareAsync(bed, state, stop.Token);
        var destination = row.Text("destination")?.Replace("ROOT", bed.Root, StringComparison.Ordinal) ?? Place(bed, model);
        string[] others = row.Text("other") is { } other ? [bed.Destination(other)] : [];

        var result = await RemoveAsync(bed, model, row.Text("uri"), destination, KeepsFiles(row), others, stop.Token);

        var gone = row.GetProperty("gone").GetBoolean();
        new StagingDisk().Look(Place(bed, model)).HasValue.Should().Be(!gone);
        (result is RemovalResult.Removed).Should().Be(gone);
        if (row.TryGetProperty("parentGone", out var parentGone)) Directory.Exists(Place(bed, Parent)).Should().Be(!parentGone.GetBoolean());
        if (gone && model == Child && bed.Records[Parent.DataKey] is { } entry) entry.Config!.Artifact.ChildrenPaths.Should().BeEmpty();
        if (row.TryGetProperty("told", out _))
        {
            result.Should().BeOfType<RemovalResult.Kept>().Which.IsNotable.Should().BeTrue();
            bed.Logs.Lines.Should().Contain(line => line.Contains(destination, StringComparison.Ordinal) && line.Contains("Warning", StringComparison.Ordinal));
        }

        Directory.Exists(bed.Root + "-outside/x").Should().BeTrue();
        Directory.Exists(bed.Root + "/.ome/models").Should().BeTrue();
        bed.Get<Trash>().Empty(stop.Token).Should().BeTrue();
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

    private static async Task PrepareAsync(StagingBed bed, string state, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(bed.Root + "-outside/x");
        Directory.CreateSymbolicLink(bed.Root + "/out", bed.Root + "-outside");
        Directory.CreateDirectory(bed.Root + "/.ome/models");
        Directory.CreateDirectory(bed.Root + "/unreadable");
        if (state.Length == 0) Put(bed, "p/a/model.bin");
        else if (state.StartsWith("own", StringComparison.Ordinal)) await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);
        else await SharedAsync(bed, cancellationToken);

        var has = (string what) => state.Contains(what, StringComparison.Ordinal);
        if (has("its list lost")) bed.Records.SetReady(Parent, bed.Records[Parent.DataKey]!.Config!.Artifact with { ChildrenPaths = [] });
        if (has("parent gone") || has("entry absent")) bed.Records.Data.Remove(Parent.DataKey);
        if (has("entry unparsable")) bed.Records.Data[Parent.DataKey] = "?";
        if (has("entry without artifact")) bed.Records.Data[Parent.DataKey] = """{"name":"p","status":"Ready"}""";
        bed.Records.IsUnreadable = has("entry unreadable");
        if (!has("another link")) return;
        Directory.CreateDirectory(bed.Root + "/deep/er");
        Directory.CreateSymbolicLink(bed.Root + "/deep/er/other", "../../p");
    }

    /// <summary>As the agent reads it from the model's object.</summary>
    private static bool KeepsFiles(JsonElement row)
    {
        static Dictionary<string, string>? Marked(string? value) => value is null ? null : new() { [OmeNames.ReserveArtifactLabel] = value };
        var metadata = new V1ObjectMeta { Name = "p", Labels = Marked(row.Text("label")), Annotations = Marked(row.Text("annotation")) };
        return ModelSpecReader.Read(new ClusterBaseModel { Metadata = metadata }).KeepsFiles;
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
