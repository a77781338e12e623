using Ome.Agent.Staging;

namespace Ome.Tests.Contracts;

/// <summary>What a source whose artifacts have revisions promises beside <see cref="ArtifactSourceContract"/>.</summary>
public abstract class RevisionedSourceContract : ArtifactSourceContract
{
    [Test, CancelAfter(120_000)]
    public async Task A_pinned_revision_lists_the_same_after_the_branch_moved(CancellationToken cancellationToken)
    {
        await using var bed = await StartAsync(Files, cancellationToken);
        var before = await ListAsync(bed, cancellationToken);
        bed.Replace(Shard, Noise(98, 10));

        var pinned = await bed.Source.ListAsync(bed.Request with { PinnedRevision = before.Revision }, cancellationToken);
        var moved = await ListAsync(bed, cancellationToken);

        pinned.Should().BeOfType<ListingResult.Listed>().Which.Listing.Files.Should().BeEquivalentTo(before.Files);
        moved.Revision.Should().NotBe(before.Revision);
    }
}
