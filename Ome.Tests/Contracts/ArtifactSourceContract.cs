using Ome.Agent.Staging;

namespace Ome.Tests.Contracts;

/// <summary>What every <see cref="IArtifactSource"/> promises beside <see cref="ArtifactContract"/>. A source's test class derives from it and connects its bed.</summary>
public abstract class ArtifactSourceContract : ArtifactContract
{
    /// <summary>Starts a fake that holds these files and a source connected to it. The fake's listing pages hold at most 3 files.</summary>
    protected abstract Task<ArtifactSourceBed> StartAsync(IReadOnlyDictionary<string, byte[]> files, CancellationToken cancellationToken);

    protected sealed override async Task<ArtifactBed> BeginAsync(IReadOnlyDictionary<string, byte[]> files, CancellationToken cancellationToken) =>
        await StartAsync(files, cancellationToken);

    [Test, CancelAfter(120_000)]
    public async Task Every_file_can_be_read_whole(CancellationToken cancellationToken)
    {
        await using var bed = await StartAsync(Files, cancellationToken);
        var listing = await ListAsync(bed, cancellationToken);

        foreach (var file in listing.Files.Where(file => file.Size > 0))
        {
            (await ReadAsync(bed, listing, file, 0, file.Size, cancellationToken)).Should().Equal(Files[file.Path.Value], file.Path.Value);
        }
    }

    [TestCase(0, 1)]
    [TestCase(1, 100_000)]
    [TestCase(699_990, 11)]
    [TestCase(700_000, 1)]
    [CancelAfter(120_000)]
    public async Task A_range_gives_exactly_its_bytes(int offset, int length, CancellationToken cancellationToken)
    {
        await using var bed = await StartAsync(Files, cancellationToken);
        var listing = await ListAsync(bed, cancellationToken);

        var bytes = await ReadAsync(bed, listing, FileOf(listing, Shard), offset, length, cancellationToken);

        bytes.Should().Equal(Files[Shard].AsSpan(offset, length).ToArray());
    }

    [Test, CancelAfter(120_000)]
    public async Task A_cut_body_ends_early_and_never_gives_other_bytes(CancellationToken cancellationToken)
    {
        await using var bed = await StartAsync(Files, cancellationToken);
        var listing = await ListAsync(bed, cancellationToken);
        bed.CutNextBody(Shard, 250_000);

        var first = await ReadAsync(bed, listing, FileOf(listing, Shard), 0, 700_001, cancellationToken);
        var rest = await ReadAsync(bed, listing, FileOf(listing, Shard), first.Length, 700_001 - first.Length, cancellationToken);

        first.Length.Should().BeLessThan(700_001);
        first.Concat(rest).Should().Equal(Files[Shard]);
    }

    [Test, CancelAfter(120_000)]
    public async Task Wrong_bytes_are_given_as_they_came_and_are_the_stagers_to_find(CancellationToken cancellationToken)
    {
        await using var bed = await StartAsync(Files, cancellationToken);
        var listing = await ListAsync(bed, cancellationToken);
        bed.CorruptBodies(Shard, 1);

        var bytes = await ReadAsync(bed, listing, FileOf(listing, Shard), 0, 700_001, cancellationToken);

        bytes.Should().HaveCount(700_001);
        bytes.AsSpan().SequenceEqual(Files[Shard]).Should().BeFalse();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_short_rate_limit_is_waited_out(CancellationToken cancellationToken)
    {
        await using var bed = await StartAsync(Files, cancellationToken);
        bed.RateLimit(1, TimeSpan.FromSeconds(1));

        var listing = await ListAsync(bed, cancellationToken);

        listing.Files.Should().HaveCount(Files.Count);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_long_rate_limit_is_told_with_its_time(CancellationToken cancellationToken)
    {
        await using var bed = await StartAsync(Files, cancellationToken);
        bed.RateLimit(int.MaxValue, TimeSpan.FromMinutes(10));

        var failure = await ListFailureAsync(bed, bed.Request, cancellationToken);

        failure.Reason.Should().Be(StagingFailureReason.RateLimited);
        failure.RetryAfter.Should().BeCloseTo(TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(5));
        failure.StaysUpdating.Should().BeTrue();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_short_outage_is_survived(CancellationToken cancellationToken)
    {
        await using var bed = await StartAsync(Files, cancellationToken);
        bed.Break(2);

        (await ListAsync(bed, cancellationToken)).Files.Should().HaveCount(Files.Count);
    }

    [Test, CancelAfter(180_000)]
    public async Task A_long_outage_is_told_as_such(CancellationToken cancellationToken)
    {
        await using var bed = await StartAsync(Files, cancellationToken);
        var listing = await ListAsync(bed, cancellationToken);
        bed.Break(int.MaxValue);

        var failure = await ListFailureAsync(bed, bed.Request, cancellationToken);
        var opened = await bed.Source.OpenAsync(bed.Request, listing, listing.Files[0], 0, listing.Files[0].Size, cancellationToken);

        failure.Reason.Should().Be(StagingFailureReason.SourceUnavailable);
        opened.Should().BeOfType<OpenResult.Failed>().Which.Failure.Reason.Should().Be(StagingFailureReason.SourceUnavailable);
    }

    [Test, CancelAfter(120_000)]
    public async Task Without_credentials_it_is_unauthorized(CancellationToken cancellationToken)
    {
        await using var bed = await StartAsync(Files, cancellationToken);
        bed.RequireCredentials();

        var failure = await ListFailureAsync(bed, bed.RequestWithoutCredentials, cancellationToken);

        failure.Reason.Should().BeOneOf(StagingFailureReason.Unauthorized, StagingFailureReason.Gated);
        (await ListAsync(bed, cancellationToken)).Files.Should().HaveCount(Files.Count);
    }

    [Test, CancelAfter(120_000)]
    public async Task Content_that_changed_after_listing_is_never_given_for_the_listed(CancellationToken cancellationToken)
    {
        await using var bed = await StartAsync(Files, cancellationToken);
        var listing = await ListAsync(bed, cancellationToken);
        bed.Replace(Shard, Noise(99, 700_001));

        var result = await bed.Source.OpenAsync(bed.Request, listing, FileOf(listing, Shard), 0, 700_001, cancellationToken);

        if (result is OpenResult.Opened opened)
        {
            bed.HasRevisions.Should().BeTrue("only a pinned revision may still be served");
            (await DrainAsync(opened.Body, 700_001, cancellationToken)).Should().Equal(Files[Shard]);
        }
        else
        {
            ((OpenResult.Failed)result).Failure.Reason.Should().Be(StagingFailureReason.SourceChanged);
        }
    }

    [Test, CancelAfter(120_000)]
    public async Task A_stalled_body_can_be_cancelled(CancellationToken cancellationToken)
    {
        await using var bed = await StartAsync(Files, cancellationToken);
        var listing = await ListAsync(bed, cancellationToken);
        bed.StallNextBody(Shard, 1000);
        var opened = (OpenResult.Opened)await bed.Source.OpenAsync(bed.Request, listing, FileOf(listing, Shard), 0, 700_001, cancellationToken);
        await using var body = opened.Body;
        await body.ReadExactlyAsync(new byte[1000], cancellationToken);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var read = body.ReadAsync(new byte[1], cancel.Token).AsTask();

        await cancel.CancelAsync();

        var ended = await Task.WhenAny(read, Task.Delay(TimeSpan.FromSeconds(60), TimeProvider.System, cancellationToken));
        ended.Should().BeSameAs(read);
        (await read.Invoking(task => task).Should().ThrowAsync<Exception>()).Which.Should().Match(e => e is OperationCanceledException || e is IOException);
    }

    [Test, CancelAfter(180_000)]
    public async Task No_failure_says_a_secret(CancellationToken cancellationToken)
    {
        await using var bed = await StartAsync(Files, cancellationToken);
        var listing = await ListAsync(bed, cancellationToken);
        var said = new List<string> { (await ListFailureAsync(bed, bed.RequestForNothing, cancellationToken)).ToString() };
        bed.Break(int.MaxValue);
        said.Add((await ListFailureAsync(bed, bed.Request, cancellationToken)).ToString());
        said.Add((await bed.Source.OpenAsync(bed.Request, listing, listing.Files[0], 0, 1, cancellationToken)).ToString());

        said.Should().AllSatisfy(text => text.Should().NotContain(ArtifactSourceBed.PlantedSecret).And.NotContainEquivalentOf("signature="));
    }

    protected static async Task<ArtifactListing> ListAsync(ArtifactSourceBed bed, CancellationToken cancellationToken) =>
        (await bed.Source.ListAsync(bed.Request, cancellationToken)).Should().BeOfType<ListingResult.Listed>().Which.Listing;

    private static async Task<StagingFailure> ListFailureAsync(ArtifactSourceBed bed, SourceRequest request, CancellationToken cancellationToken) =>
        (await bed.Source.ListAsync(request, cancellationToken)).Should().BeOfType<ListingResult.Failed>().Which.Failure;

    private static ArtifactFile FileOf(ArtifactListing listing, string path) => listing.Files.Single(file => file.Path.Value == path);

    private static async Task<byte[]> ReadAsync(
        ArtifactSourceBed bed, ArtifactListing listing, ArtifactFile file, long offset, long length, CancellationToken cancellationToken)
    {
        var result = await bed.Source.OpenAsync(bed.Request, listing, file, offset, length, cancellationToken);
        return await DrainAsync(result.Should().BeOfType<OpenResult.Opened>(file.Path.Value).Which.Body, length, cancellationToken);
    }

    private static async Task<byte[]> DrainAsync(Stream body, long length, CancellationToken cancellationToken)
    {
        await using var source = body;
        using var all = new MemoryStream();
        var buffer = new byte[65_536];
        try
        {
            for (int read; (read = await source.ReadAsync(buffer, cancellationToken)) > 0;) all.Write(buffer, 0, read);
        }
        catch (IOException)
        {
            // A cut may show as an early end or as this; both are allowed.
        }

        all.Length.Should().BeLessThanOrEqualTo(length);
        return all.ToArray();
    }
}
