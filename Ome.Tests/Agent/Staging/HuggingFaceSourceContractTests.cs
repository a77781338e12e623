using Ome.Agent.Staging;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Models;
using Ome.Tests.Contracts;

namespace Ome.Tests.Agent.Staging;

/// <summary>The contract of sources, for Hugging Face against the fake hub.</summary>
public sealed class HuggingFaceSourceContractTests : RevisionedSourceContract
{
    protected override async Task<ArtifactSourceBed> StartAsync(IReadOnlyDictionary<string, byte[]> files, CancellationToken cancellationToken)
    {
        var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        bed.Hub.PageSize = 3;
        bed.Hub.Add("org/model", files);
        return new HubSourceBed(bed);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_mirror_whose_page_links_lead_elsewhere_is_listed_whole_and_only_the_mirror_is_asked(CancellationToken cancellationToken)
    {
        await using var bed = await StagingBed.StartAsync(cancellationToken: cancellationToken);
        bed.Hub.PageSize = 3;
        bed.Hub.PageLinkOrigin = "http://127.0.0.1:1";
        bed.Hub.Add("org/model", Files);
        await using var source = new HubSourceBed(bed);

        (await ListAsync(source, cancellationToken)).Files.Should().HaveCount(Files.Count);
    }
}

/// <summary>The Hugging Face source on a fake hub.</summary>
internal sealed class HubSourceBed(StagingBed bed) : ArtifactSourceBed
{
    public override IArtifactSource Source { get; } = bed.Get<IArtifactSource>();

    public override SourceRequest Request { get; } = Of("hf://org/model", PlantedSecret);

    public override SourceRequest RequestWithoutCredentials { get; } = Of("hf://org/model", null);

    public override SourceRequest RequestForNothing { get; } = Of("hf://org/nothing", PlantedSecret);

    public override bool HasRevisions => true;

    public override IReadOnlyList<string> Requests => bed.Hub.Requests;

    public override void RequireCredentials() => bed.Hub.Repository("org/model").Access = HubAccess.Private;

    public override void CutNextBody(string path, long afterBytes) => Fault(new HubFault(HubFaultKind.Cut, HubFaultScope.Body, path, AfterBytes: afterBytes));

    public override void StallNextBody(string path, long afterBytes) => Fault(new HubFault(HubFaultKind.Stall, HubFaultScope.Body, path, AfterBytes: afterBytes));

    public override void RateLimit(int requests, TimeSpan retryAfter) =>
        Fault(new HubFault(HubFaultKind.Status, Times: requests, Status: 429, RetryAfterSeconds: (int)retryAfter.TotalSeconds));

    public override void Break(int requests) => Fault(new HubFault(HubFaultKind.Status, Times: requests, Status: 503));

    public override void CorruptBodies(string path, int times) => Fault(new HubFault(HubFaultKind.WrongBytes, HubFaultScope.Body, path, times));

    public override void Replace(string path, byte[] content) => bed.Hub.Repository("org/model").Put(path, content);

    public override ValueTask DisposeAsync() => bed.DisposeAsync();

    private void Fault(HubFault fault) => bed.Hub.Faults.Add(fault);

    private static SourceRequest Of(string text, string? token)
    {
        return StorageUri.TryParse(text, out var uri, out var refusal)
            ? new SourceRequest(StagingBed.Model(text, token), uri)
            : throw new ArgumentException(refusal.ToString(), nameof(text));
    }
}
