using Ome.Agent.Staging;
using Ome.LocalCluster.Fakes;
using Ome.Tests.Contracts;

namespace Ome.Tests.Agent.Staging.Oci;

/// <summary>The contract of sources, for OCI Object Storage against the fake store, every request signed.</summary>
public sealed class OciSourceContractTests : ArtifactSourceContract
{
    protected override async Task<ArtifactSourceBed> StartAsync(IReadOnlyDictionary<string, byte[]> files, CancellationToken cancellationToken)
    {
        var bed = await OciBed.StartAsync(cancellationToken);
        bed.Store.PageSize = 3;
        bed.Store.RequiresCredentials = true;
        bed.Store.Put(OciBed.Bucket, "other/file.txt", [1]);
        bed.Store.Put(OciBed.Bucket, "org/model/", []);
        foreach (var (name, bytes) in files) bed.Store.Put(OciBed.Bucket, "org/model/" + name, bytes);
        return new OciSourceBed(bed);
    }
}

/// <summary>The OCI source on a fake store.</summary>
internal sealed class OciSourceBed(OciBed bed) : ArtifactSourceBed
{
    private const string Prefix = "org/model/";
    private const string Uri = $"oci://n/fake-namespace/b/{OciBed.Bucket}/o/org/model";

    public override IArtifactSource Source { get; } = bed.Source;

    public override SourceRequest Request { get; } = OciBed.Request(Uri);

    public override SourceRequest RequestWithoutCredentials { get; } = OciBed.Request(Uri, "ResourcePrincipal");

    public override SourceRequest RequestForNothing { get; } = OciBed.Request($"oci://n/fake-namespace/b/{OciBed.Bucket}/o/org/nothing");

    public override bool HasRevisions => false;

    public override IReadOnlyList<string> Requests => bed.Store.Requests;

    public override void RequireCredentials() => bed.Store.RequiresCredentials = true;

    public override void CutNextBody(string path, long afterBytes) => Fault(new HubFault(HubFaultKind.Cut, HubFaultScope.Body, Prefix + path, AfterBytes: afterBytes));

    public override void StallNextBody(string path, long afterBytes) => Fault(new HubFault(HubFaultKind.Stall, HubFaultScope.Body, Prefix + path, AfterBytes: afterBytes));

    public override void RateLimit(int requests, TimeSpan retryAfter) =>
        Fault(new HubFault(HubFaultKind.Status, Times: requests, Status: 429, RetryAfterSeconds: (int)retryAfter.TotalSeconds));

    public override void Break(int requests) => Fault(new HubFault(HubFaultKind.Status, Times: requests, Status: 503));

    public override void CorruptBodies(string path, int times) => Fault(new HubFault(HubFaultKind.WrongBytes, HubFaultScope.Body, Prefix + path, times));

    public override void Replace(string path, byte[] content) => bed.Store.Put(OciBed.Bucket, Prefix + path, content);

    public override ValueTask DisposeAsync() => bed.DisposeAsync();

    private void Fault(HubFault fault) => bed.Store.Faults.Add(fault);
}
