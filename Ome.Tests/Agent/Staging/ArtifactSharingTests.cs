using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Models;
using Ome.Agent.Staging;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Models;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging;

/// <summary>Sharing on disk: the rows of contract 10.4 that touch files, and what W16 asks for.</summary>
public sealed class ArtifactSharingTests
{
    private static readonly ModelKey Parent = ModelKey.Cluster("p");
    private static readonly ModelKey Child = ModelKey.Cluster("c");

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { "contract/artifacts.json", "stage" })]
    public async Task Stage(JsonElement row)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await using var bed = await BedAsync(stop.Token);
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, stop.Token);
        if (row.TryGetProperty("status", out var status)) bed.Hub.Faults.Add(new HubFault(HubFaultKind.Status, HubFaultScope.Api, Times: int.MaxValue, Status: status.GetInt32()));

        var staged = await StageAsync(bed, Child, row.Text("policy") is { } policy ? Enum.Parse<DownloadPolicy>(policy) : default, stop.Token);

        IsLink(bed, Child).Should().Be(row.GetProperty("link").GetBoolean());
        (staged.Result as StagingResult.Failed)?.Failure.Reason.ToString().Should().Be(row.Text("fails"));
        (staged.Result is StagingResult.Failed).Should().Be(row.Text("fails") is not null);
        if (staged.Result is StagingResult.Staged) staged.Artifact!.ParentPath.Should().ContainKey(IsLink(bed, Child) ? Parent.DataKey : Child.DataKey);
        bed.Records[Parent.DataKey]!.Config!.Artifact.ChildrenPaths.Should().Equal(IsLink(bed, Child) ? [Place(bed, Child)] : []);
    }

    [Test, CancelAfter(120_000)]
    public async Task A02_an_equal_artifact_is_linked_relatively_and_its_parent_knows(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);
        var sent = bed.Hub.BodyBytesSent;

        var shared = await StageAsync(bed, Child, DownloadPolicy.ReuseIfExists, cancellationToken);

        new FileInfo(Place(bed, Child)).LinkTarget.Should().Be("p");
        bed.Hub.BodyBytesSent.Should().Be(sent, "no file is fetched again");
        shared.Artifact!.ParentPath.Should().Equal(new Dictionary<string, string>(StringComparer.Ordinal) { [Parent.DataKey] = Place(bed, Parent) });
        shared.Artifact.ChildrenPaths.Should().BeEmpty();
        bed.Records[Parent.DataKey]!.Config!.Artifact.ChildrenPaths.Should().Equal(Place(bed, Child));
        bed.Manifests[Child]!.Entries.Should().Equal(bed.Manifests[Parent]!.Entries, (one, other) => one.Path == other.Path && one.Sha256 == other.Sha256);
        bed.Manifests[Child]!.Source.StoragePath.Should().Be(Place(bed, Child));
        TestFiles.Tree(Place(bed, Child)).Should().BeEquivalentTo(TestFiles.Tree(Place(bed, Parent)));
    }

    [Test, CancelAfter(120_000)]
    public async Task A13_a_parent_whose_entry_is_not_json_gets_no_child(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);

        // Another entry leads to the parent; the parent's own is broken.
        bed.Records.SetReady(ModelKey.Cluster("x"), bed.Records[Parent.DataKey]!.Config!.Artifact);
        bed.Records.Data[Parent.DataKey] = "not json";

        await StageAsync(bed, Child, DownloadPolicy.ReuseIfExists, cancellationToken);

        bed.Records.Data[Parent.DataKey].Should().Be("not json");
        IsLink(bed, Child).Should().BeFalse();
    }

    [Test, CancelAfter(120_000)]
    public async Task A16_turning_reuse_off_replaces_the_link_by_own_files(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);
        await StageAsync(bed, Child, DownloadPolicy.ReuseIfExists, cancellationToken);

        var own = await StageAsync(bed, Child, DownloadPolicy.AlwaysDownload, cancellationToken);

        IsLink(bed, Child).Should().BeFalse();
        own.Artifact!.ParentPath.Should().ContainKey(Child.DataKey);
        bed.Records[Parent.DataKey]!.Config!.Artifact.ChildrenPaths.Should().BeEmpty();
        TestFiles.Tree(Place(bed, Parent)).Should().BeEquivalentTo(TestFiles.Tree(Place(bed, Child)));
    }

    [Test, CancelAfter(120_000)]
    public async Task A16_the_link_serves_until_all_own_files_are_there(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);
        await StageAsync(bed, Child, DownloadPolicy.ReuseIfExists, cancellationToken);
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Status, HubFaultScope.Resolve, Times: int.MaxValue, Status: 404));

        var failed = await StageAsync(bed, Child, DownloadPolicy.AlwaysDownload, cancellationToken, reconsiders: true);

        failed.Result.Should().BeOfType<StagingResult.Failed>();
        IsLink(bed, Child).Should().BeTrue();
        bed.Records[Parent.DataKey]!.Config!.Artifact.ChildrenPaths.Should().Equal(Place(bed, Child));
    }

    [TestCase("Exchange")]
    [TestCase("Rename")]
    [CancelAfter(120_000)]
    public async Task A16_stopped_anywhere_it_goes_on_where_it_was(string at, CancellationToken cancellationToken)
    {
        var disk = new StoppingDisk();
        await using var bed = await BedAsync(cancellationToken, disk);
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);
        await StageAsync(bed, Child, DownloadPolicy.ReuseIfExists, cancellationToken);
        disk.StopsAt = at;
        var sent = bed.Hub.BodyBytesSent;
        (await StageAsync(bed, Child, DownloadPolicy.AlwaysDownload, cancellationToken, reconsiders: true)).Result.Should().BeOfType<StagingResult.Failed>();
        IsLink(bed, Child).Should().BeTrue();
        bed.Restart();

        await StageAsync(bed, Child, DownloadPolicy.AlwaysDownload, cancellationToken, reconsiders: true);

        IsLink(bed, Child).Should().BeFalse();
        TestFiles.Tree(Place(bed, Child)).Should().BeEquivalentTo(TestFiles.Tree(Place(bed, Parent)));
        (bed.Hub.BodyBytesSent - sent).Should().Be(TestFiles.Tree(Place(bed, Parent)).Values.Sum(bytes => (long)bytes.Length), "nothing is fetched twice");
        Directory.EnumerateFileSystemEntries(bed.Layout.StagingRoot).Should().BeEmpty();
        bed.Records[Parent.DataKey]!.Config!.Artifact.ChildrenPaths.Should().BeEmpty();
    }

    [Test, CancelAfter(120_000)]
    public async Task A15_turning_reuse_on_replaces_own_files_by_a_link_without_asking_the_hub(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);
        await StageAsync(bed, Child, DownloadPolicy.AlwaysDownload, cancellationToken);
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Status, Times: int.MaxValue, Status: 503));

        var shared = await StageAsync(bed, Child, DownloadPolicy.ReuseIfExists, cancellationToken, reconsiders: true);

        IsLink(bed, Child).Should().BeTrue();
        shared.Artifact!.ParentPath.Should().ContainKey(Parent.DataKey);
        bed.Records[Parent.DataKey]!.Config!.Artifact.ChildrenPaths.Should().Equal(Place(bed, Child));
        bed.Get<Trash>().Empty(cancellationToken).Should().BeTrue();
        TestFiles.Tree(Place(bed, Child)).Should().BeEquivalentTo(TestFiles.Tree(Place(bed, Parent)));
    }

    [Test, CancelAfter(120_000)]
    public async Task A15_files_that_others_link_to_stay_own_files(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);
        await StageAsync(bed, Child, DownloadPolicy.ReuseIfExists, cancellationToken);
        await StageAsync(bed, ModelKey.Cluster("another"), DownloadPolicy.AlwaysDownload, cancellationToken);

        await StageAsync(bed, Parent, DownloadPolicy.ReuseIfExists, cancellationToken, reconsiders: true);

        IsLink(bed, Parent).Should().BeFalse();
        TestFiles.Tree(Place(bed, Child)).Should().NotBeEmpty();
    }

    [Test, CancelAfter(120_000)]
    public async Task W16_a_parent_with_a_damaged_file_is_not_linked_to(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);
        await File.WriteAllTextAsync(Place(bed, Parent) + "/README.md", "damaged", cancellationToken);

        await StageAsync(bed, Child, DownloadPolicy.ReuseIfExists, cancellationToken);

        IsLink(bed, Child).Should().BeFalse();
    }

    [Test, CancelAfter(120_000)]
    public async Task W16_a_parent_whose_directory_is_gone_is_not_linked_to(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);
        Directory.Delete(Place(bed, Parent), recursive: true);

        await StageAsync(bed, Child, DownloadPolicy.ReuseIfExists, cancellationToken);

        IsLink(bed, Child).Should().BeFalse();
        Directory.Exists(Place(bed, Child)).Should().BeTrue();
    }

    [Test, CancelAfter(120_000)]
    public async Task W16_another_revision_is_another_artifact(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);
        bed.Hub.Repository("org/model").Put("README.md", [1]);

        await StageAsync(bed, Child, DownloadPolicy.ReuseIfExists, cancellationToken);

        IsLink(bed, Child).Should().BeFalse();
        TestFiles.Bytes(Place(bed, Child), "README.md").Should().Equal(1);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_linked_model_needs_no_hub_after_a_restart(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);
        var before = (await StageAsync(bed, Child, DownloadPolicy.ReuseIfExists, cancellationToken)).Artifact;
        bed.Restart();
        bed.Hub.Faults.Add(new HubFault(HubFaultKind.Status, Times: int.MaxValue, Status: 503));

        var again = await StageAsync(bed, Child, DownloadPolicy.ReuseIfExists, cancellationToken);

        again.Result.Should().BeOfType<StagingResult.Staged>();
        again.Artifact.Should().BeEquivalentTo(before);
        IsLink(bed, Child).Should().BeTrue();
    }

    [Test, CancelAfter(120_000)]
    public async Task Two_models_that_want_the_same_artifact_at_once_fetch_it_once(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);

        await Task.WhenAll(
            bed.Get<ArtifactSharing>().StageAsync(Request(bed, Parent, DownloadPolicy.ReuseIfExists), null, null, cancellationToken),
            bed.Get<ArtifactSharing>().StageAsync(Request(bed, Child, DownloadPolicy.ReuseIfExists), null, null, cancellationToken));

        var weights = TestFiles.Tree(Place(bed, Parent)).Values.Sum(bytes => (long)bytes.Length);
        bed.Hub.BodyBytesSent.Should().Be(weights);
        new[] { IsLink(bed, Parent), IsLink(bed, Child) }.Should().BeEquivalentTo([true, false]);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_model_that_went_is_no_parent_though_its_files_were_kept(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(cancellationToken);
        var sharing = bed.Get<ArtifactSharing>();
        var request = Request(bed, Parent, DownloadPolicy.ReuseIfExists);
        await sharing.StageAsync(request, null, null, cancellationToken);
        var record = ModelRecord.Begin(request.Model, request.Destination, DateTimeOffset.UnixEpoch) with { KeepsFiles = true };
        var catalog = new ModelCatalog(new DestinationRule(bed.Root, []), new NodeFacts { Name = "node" });

        await new ModelStaging(sharing, bed.Get<ArtifactRemover>(), bed.Get<StagingFlow>(), catalog).RemoveAsync(record, null, cancellationToken);
        await StageAsync(bed, Child, DownloadPolicy.ReuseIfExists, cancellationToken);

        Directory.Exists(Place(bed, Parent)).Should().BeTrue();
        IsLink(bed, Child).Should().BeFalse();
    }

    internal static async Task<StagingBed> BedAsync(CancellationToken cancellationToken, StagingDisk? disk = null)
    {
        var bed = await StagingBed.StartAsync(services => services.AddSingleton(disk ?? new StagingDisk()), cancellationToken);
        using var directory = new TempDirectory();
        ModelTree.Write(directory.Path);
        bed.Hub.Add("org/model", TestFiles.Tree(directory.Path));
        return bed;
    }

    /// <summary>Stages and reports it, as the agent does.</summary>
    internal static async Task<SharedStaging> StageAsync(StagingBed bed, ModelKey key, DownloadPolicy policy, CancellationToken cancellationToken, bool reconsiders = false)
    {
        var before = bed.Records[key.DataKey]?.Config?.Artifact;
        var staged = await bed.Get<ArtifactSharing>().StageAsync(Request(bed, key, policy) with { Reconsiders = reconsiders }, before, null, cancellationToken);
        if (staged.Artifact is not null) bed.Records.SetReady(key, staged.Artifact);
        return staged;
    }

    internal static string Place(StagingBed bed, ModelKey key) => bed.Destination(key.Name);

    private static StagingRequest Request(StagingBed bed, ModelKey key, DownloadPolicy policy)
    {
        var request = bed.Request("org/model", Place(bed, key));
        return request with { Model = request.Model with { Key = key, DownloadPolicy = policy } };
    }

    private static bool IsLink(StagingBed bed, ModelKey key) => new FileInfo(Place(bed, key)).LinkTarget is not null;

    /// <summary>Fails once, where a test says: as good as being killed there.</summary>
    private sealed class StoppingDisk : StagingDisk
    {
        public string StopsAt { get; set; } = "";

        public override void Exchange(string one, string other)
        {
            Stop(nameof(Exchange));
            base.Exchange(one, other);
        }

        public override void Rename(string from, string to)
        {
            if (to.EndsWith(".safetensors", StringComparison.Ordinal)) Stop(nameof(Rename));
            base.Rename(from, to);
        }

        private void Stop(string at)
        {
            if (StopsAt != at) return;
            StopsAt = "";
            throw Error(5, at, "here");
        }
    }
}
