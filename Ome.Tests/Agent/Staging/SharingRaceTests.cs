using Ome.Agent.Staging;
using Ome.Shared.Domain.Models;
using static Ome.Tests.Agent.Staging.ArtifactSharingTests;

namespace Ome.Tests.Agent.Staging;

/// <summary>A parent that goes while children come and go, in orders that chance decides: no link ever leads nowhere, and no file that is linked to goes.</summary>
public sealed class SharingRaceTests
{
    private static readonly ModelKey Parent = ModelKey.Cluster("p");
    private static readonly ModelKey[] Children = [ModelKey.Cluster("a"), ModelKey.Cluster("b"), ModelKey.Cluster("c")];

    [TestCase(false)]
    [TestCase(true)]
    [CancelAfter(120_000)]
    public async Task No_link_leads_nowhere(bool parentEntryIsGone, CancellationToken cancellationToken)
    {
        for (var seed = 0; seed < 30; seed++)
        {
            await using var bed = await BedAsync(cancellationToken);
            var chance = new Chance(seed);
            await StageAsync(bed, Parent, DownloadPolicy.AlwaysDownload, cancellationToken);
            await StageAsync(bed, Children[0], DownloadPolicy.ReuseIfExists, cancellationToken);
            if (parentEntryIsGone) bed.Records.Data.Remove(Parent.DataKey);
            bed.Records.Meanwhile = chance.YieldAsync;

            await Task.WhenAll(
                Task.Run(() => parentEntryIsGone ? Task.CompletedTask : RemoveAsync(bed, Parent, cancellationToken), cancellationToken),
                Task.Run(() => RemoveAsync(bed, Children[0], cancellationToken), cancellationToken),
                Task.Run(() => StageAsync(bed, Children[1], DownloadPolicy.ReuseIfExists, cancellationToken), cancellationToken),
                Task.Run(() => StageAsync(bed, Children[2], DownloadPolicy.ReuseIfExists, cancellationToken), cancellationToken));

            bed.Records.Meanwhile = static () => Task.CompletedTask;
            Directory.Exists(Place(bed, Children[0])).Should().BeFalse();
            foreach (var child in Children[1..]) File.Exists(Place(bed, child) + "/config.json").Should().BeTrue($"{child} is whole, seed {seed}");
            if (parentEntryIsGone || !Directory.Exists(Place(bed, Parent))) continue;
            var links = Children.Select(child => Place(bed, child)).Where(place => new FileInfo(place).LinkTarget == "p");
            bed.Records[Parent.DataKey]!.Config!.Artifact.ChildrenPaths.Should().BeEquivalentTo(links, $"seed {seed}");
        }
    }

    /// <summary>As the model's worker does: its entry goes last.</summary>
    private static async Task RemoveAsync(StagingBed bed, ModelKey key, CancellationToken cancellationToken)
    {
        bed.Get<ArtifactSharing>().Forget(key);
        StorageUri.TryParse("hf://org/model", out var uri, out _).Should().BeTrue();
        var result = await bed.Get<ArtifactRemover>().RemoveAsync(new RemovalRequest(key, uri, Place(bed, key), KeepsFiles: false, static _ => []), cancellationToken);
        result.Should().NotBeOfType<RemovalResult.Failed>();
    }

    /// <summary>Lets others go first, as often as a seed says.</summary>
    private sealed class Chance(int seed)
    {
        private readonly Random _random = new(seed);

        public async Task YieldAsync()
        {
            int times;
            lock (_random) times = _random.Next(40);
            for (; times > 0; times--) await Task.Yield();
        }
    }
}
