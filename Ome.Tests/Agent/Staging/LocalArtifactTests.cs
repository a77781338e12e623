using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Ome.Agent.Staging;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Agent.Staging;

/// <summary>A local model is taken as it is once nobody writes it any more. The clock is the test's: files are from the future, so that their age says nothing.</summary>
[CancelAfter(120_000)]
public sealed class LocalArtifactTests
{
    private const string Shard = "model-00001-of-00002.safetensors";
    private const string Download = ".cache/huggingface/download/more.safetensors.incomplete";

    private readonly LeapingTime _time = new();

    [TestCase(Shard)]
    [TestCase(Download)]
    public async Task A_directory_that_is_still_written_is_taken_when_the_writer_is_done(string growing, CancellationToken cancellationToken)
    {
        const int Writes = 7;
        var writer = new WritingDisk(growing, Writes);
        await using var bed = await BedAsync(writer, new Structure(_ => []), cancellationToken);
        var place = WriteModel(bed);
        var whole = new FileInfo(place + "/" + growing).Length + Writes;

        var staged = await AdoptAsync(bed, place, cancellationToken);

        new FileInfo(place + "/" + growing).Length.Should().Be(whole);
        writer.Looks.Should().BeGreaterThan(Writes);
        staged.Manifest.Entries.Where(entry => entry.Path.Value == growing).Select(entry => entry.Size).Should().Equal(growing == Shard ? [whole] : []);
    }

    [Test]
    public async Task What_lies_beside_the_model_is_no_part_of_it(CancellationToken cancellationToken)
    {
        await using var bed = await BedAsync(new StagingDisk(), new Structure(_ => []), cancellationToken);
        var place = WriteModel(bed);
        foreach (var beside in new[] { ".git/HEAD", ".ome/manifest", ".cache/huggingface/download/a.lock", "model.lock", "left.incomplete" }) Write(place, beside);

        var staged = await AdoptAsync(bed, place, cancellationToken);

        staged.Manifest.Entries.Select(entry => entry.Path.Value).Should().Contain(Shard).And.NotContain(path => BesideArtifact.Contains(path));
    }

    [Test]
    public async Task A_broken_file_is_given_time_to_become_whole(CancellationToken cancellationToken)
    {
        var finding = new FileFinding(ArtifactPath.Parse(Shard), FindingReason.StructureInvalid);
        var structure = new Structure(looks => looks == 1 ? [finding] : []);
        await using var bed = await BedAsync(new StagingDisk(), structure, cancellationToken);
        var place = WriteModel(bed);
        structure.Looked = () => File.AppendAllText(place + "/" + Shard, structure.Looks == 1 ? "the rest" : "");

        var staged = await AdoptAsync(bed, place, cancellationToken);

        structure.Looks.Should().Be(2);
        staged.Manifest.Entries.Should().OnlyContain(entry => entry.Baseline.IsEmpty);
    }

    [Test]
    public async Task What_stays_broken_is_the_baseline_and_is_taken_once(CancellationToken cancellationToken)
    {
        var finding = new FileFinding(ArtifactPath.Parse(Shard), FindingReason.StructureInvalid);
        await using var bed = await BedAsync(new StagingDisk(), new Structure(_ => [finding]), cancellationToken);
        var place = WriteModel(bed);

        var staged = await AdoptAsync(bed, place, cancellationToken);
        var again = await AdoptAsync(bed, place, cancellationToken);

        staged.Manifest.Entries.Should().OnlyContain(entry => entry.Baseline.IsEmpty == (entry.Path.Value != Shard));
        staged.Manifest.Entries.Single(entry => entry.Path.Value == Shard).Baseline.Should().Equal("StructureInvalid");
        again.Manifest.Should().BeSameAs(staged.Manifest, "nothing changed");
    }

    private Task<StagingBed> BedAsync(StagingDisk disk, Structure structure, CancellationToken cancellationToken) => StagingBed.StartAsync(
        services => services.AddSingleton<TimeProvider>(_time).AddSingleton(disk).AddSingleton<IStructureReader>(structure), cancellationToken);

    private static string WriteModel(StagingBed bed)
    {
        var place = bed.Destination("local");
        ModelTree.Write(place);
        Write(place, Download);
        return place;
    }

    private static void Write(string place, string name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(place, name))!);
        File.WriteAllText(Path.Combine(place, name), "x");
    }

    private static async Task<StagingResult.Staged> AdoptAsync(StagingBed bed, string place, CancellationToken cancellationToken)
    {
        StorageUri.TryParse("local://" + place, out var uri, out _).Should().BeTrue();
        var adopted = await bed.Stager.StageAsync(new StagingRequest(StagingBed.Model("local://" + place), uri!, place), null, cancellationToken);
        return adopted.Should().BeOfType<StagingResult.Staged>().Which;
    }

    /// <summary>Passes over every wait, and stands still while something is done.</summary>
    private sealed class LeapingTime : FakeTimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime > TimeSpan.Zero) ThreadPool.QueueUserWorkItem(_ => Advance(dueTime));
            return timer;
        }
    }

    /// <summary>A disk on which a file grows between one look at it and the next, so many times.</summary>
    private sealed class WritingDisk(string growing, int writes) : StagingDisk
    {
        public int Looks { get; private set; }

        public override DiskEntry? Look(string path)
        {
            if (path.EndsWith("/" + growing, StringComparison.Ordinal) && Looks++ < writes) File.AppendAllText(path, "x");
            return base.Look(path);
        }
    }

    /// <summary>Says what it is told to, by the number of looks.</summary>
    private sealed class Structure(Func<int, ImmutableArray<FileFinding>> says) : IStructureReader
    {
        public int Looks { get; private set; }

        public Action Looked { get; set; } = () => { };

        public Task<ImmutableArray<FileFinding>> ReadAsync(string directory, CancellationToken cancellationToken)
        {
            var found = says(++Looks);
            Looked();
            return Task.FromResult(found);
        }
    }
}
