using System.Collections.Immutable;
using Ome.Agent.Staging;
using Ome.Agent.Verification;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Tests.Contracts;

namespace Ome.Tests.Agent.Staging;

/// <summary>The contract of artifacts for <c>local://</c>: taken where they lie, and hashed there afterwards as the agent does. What is about a wire has no case here.</summary>
public sealed class LocalArtifactContractTests : ArtifactContract
{
    protected override async Task<ArtifactBed> BeginAsync(IReadOnlyDictionary<string, byte[]> files, CancellationToken cancellationToken) =>
        new LocalBed(await StagingBed.StartAsync(cancellationToken: cancellationToken), files);

    [Test, CancelAfter(120_000)]
    public async Task Nothing_is_copied_moved_or_written(CancellationToken cancellationToken)
    {
        var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        await using var local = new LocalBed(bed, Files);
        var before = Look(bed.Root);

        await local.TakeAsync(cancellationToken);

        Look(bed.Root).Should().Equal(before);
    }

    /// <summary>Blocks are given out when the kernel writes back, whoever wrote.</summary>
    private static ImmutableArray<(string Path, FileStamp Stamp)> Look(string root) =>
        [.. Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(path => (path, new StagingDisk().Look(path)!.Value.Stamp with { Blocks = 0 }))];

    private sealed class LocalBed : ArtifactBed
    {
        private readonly StagingBed _bed;
        private readonly IoBudget _budget = new(0, TimeProvider.System);
        private readonly ReadEngine _engine;
        private readonly string _place;

        public LocalBed(StagingBed bed, IReadOnlyDictionary<string, byte[]> files)
        {
            (_bed, _place) = (bed, bed.Destination("local"));
            _engine = new ReadEngine(new ReadEngineOptions { Workers = 1 }, _budget, TimeProvider.System);
            foreach (var (path, content) in files) Replace(path, content);
        }

        public override async Task<IReadOnlyList<TakenFile>> TakeAsync(CancellationToken cancellationToken)
        {
            var taken = (await StageAsync(_place, cancellationToken)).Should().BeOfType<StagingResult.Staged>().Which.Manifest;
            var build = await new ManifestBuilder(_engine, TimeProvider.System).BuildAsync(new BuildRequest(_place, _bed.Root, taken.Source, GroundTruth.None), cancellationToken);
            build.Manifest!.Entries.Select(entry => entry.Path).Should().Equal(taken.Entries.Select(entry => entry.Path).Order());
            return [.. build.Manifest.Entries.Select(entry => new TakenFile(entry.Path.Value, entry.Size, [entry.Sha256!.Value, .. entry.Upstream]))];
        }

        public override async Task<StagingFailure> FailAsync(CancellationToken cancellationToken) =>
            (await StageAsync(_bed.Destination("nothing"), cancellationToken)).Should().BeOfType<StagingResult.Failed>().Which.Failure;

        public override void Replace(string path, byte[] content)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_place, path))!);
            File.WriteAllBytes(Path.Combine(_place, path), content);
        }

        public override async ValueTask DisposeAsync()
        {
            _engine.Dispose();
            _budget.Dispose();
            await _bed.DisposeAsync();
        }

        private Task<StagingResult> StageAsync(string place, CancellationToken cancellationToken)
        {
            StorageUri.TryParse("local://" + place, out var uri, out _).Should().BeTrue();
            return _bed.Stager.StageAsync(new StagingRequest(StagingBed.Model("local://" + place), uri!, place), null, cancellationToken);
        }
    }
}
