using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Repair;
using Ome.Agent.Staging;
using Ome.Agent.Staging.Oci;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Agent.Staging;
using Ome.Tests.Agent.Staging.Oci;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Repair;

/// <summary>Repair from OCI Object Storage, of an object that was uploaded in parts: its source publishes a digest of digests and not how large its parts are.</summary>
public sealed class OciRepairTests
{
    private const int MiB = 1 << 20;
    private const string Shard = "model.safetensors";

    [Test, CancelAfter(180_000)]
    public async Task Only_the_bad_chunk_of_an_object_in_parts_is_fetched(CancellationToken token)
    {
        await using var store = await StoreAsync(token);
        await using var bed = await StagedAsync(store, token);
        var good = TestFiles.Bytes(bed.Destination("m"), Shard);
        Flip(bed);
        var sent = store.BodyBytesSent;

        var repaired = (await RepairAsync(bed, token)).Should().BeOfType<RepairResult.Repaired>().Which;

        repaired.BytesFetched.Should().Be(MiB, "the last chunk is so long");
        (store.BodyBytesSent - sent).Should().Be(MiB);
        TestFiles.Bytes(bed.Destination("m"), Shard).AsSpan().SequenceEqual(good).Should().BeTrue();
        repaired.Manifest.Entries.Single().Upstream.Should().ContainSingle().Which.Algorithm.Should().Be(DigestAlgorithm.Md5Composite);
    }

    [Test, CancelAfter(180_000)]
    public async Task Wrong_bytes_from_the_store_change_nothing(CancellationToken token)
    {
        await using var store = await StoreAsync(token);
        await using var bed = await StagedAsync(store, token);
        Flip(bed);
        var damaged = TestFiles.Bytes(bed.Destination("m"), Shard);
        store.Faults.Add(new HubFault(HubFaultKind.WrongBytes, HubFaultScope.Body, "m/" + Shard, AfterBytes: 2));

        var failed = (await RepairAsync(bed, token)).Should().BeOfType<RepairResult.Failed>().Which;

        failed.Failure.Reason.Should().Be(StagingFailureReason.WrongBytes);
        failed.TryAgainAfter.Should().Be(TimeSpan.FromMinutes(1));
        TestFiles.Bytes(bed.Destination("m"), Shard).AsSpan().SequenceEqual(damaged).Should().BeTrue();
    }

    [Test, CancelAfter(180_000)]
    public async Task Another_object_under_the_same_name_is_staged_anew_not_patched_in(CancellationToken token)
    {
        await using var store = await StoreAsync(token);
        await using var bed = await StagedAsync(store, token);
        Flip(bed);
        store.Put("models", "m/" + Shard, StoredBlob.OfParts(new byte[65 * MiB], 8 * MiB, version: 2));

        (await RepairAsync(bed, token)).Should().BeOfType<RepairResult.RestageNeeded>();
    }

    private static async Task<FakeObjectStore> StoreAsync(CancellationToken token)
    {
        var store = await FakeObjectStore.StartAsync(cancellationToken: token);
        store.Callers.Instance = new InstanceIdentity("ocid1.tenancy.fake", TimeProvider.System.GetUtcNow());
        store.RequiresCredentials = true;
        var bytes = new byte[65 * MiB];
        new Random(6).NextBytes(bytes);
        store.Put("models", "m/" + Shard, StoredBlob.OfParts(bytes, 8 * MiB));
        return store;
    }

    private static async Task<StagingBed> StagedAsync(FakeObjectStore store, CancellationToken token)
    {
        var bed = await StagingBed.StartAsync(
            services =>
            {
                services.AddOciSource();
                services.AddSingleton(new OciOptions { Endpoint = store.Endpoint, MetadataEndpoint = store.Endpoint + "/opc/v2/", AuthEndpoint = store.Endpoint, RetryDelay = TimeSpan.FromMilliseconds(5) });
            },
            token);
        (await bed.Stager.StageAsync(Request(bed), null, token)).Should().BeOfType<StagingResult.Staged>();
        return bed;
    }

    private static StagingRequest Request(StagingBed bed)
    {
        var request = OciBed.Request("oci://models/m", auth: null);
        return new StagingRequest(request.Model, request.Uri, bed.Destination("m"));
    }

    private static Task<RepairResult> RepairAsync(StagingBed bed, CancellationToken token)
    {
        var finding = new FileFinding(ArtifactPath.Parse(Shard), FindingReason.DigestMismatch, Offset: ArtifactManifest.ChunkSize);
        return bed.Get<RepairWorker>().RepairAsync(new RepairRequest(Request(bed), bed.Manifests[StagingBed.Key]!, [finding]), token);
    }

    /// <summary>A bit of the last chunk.</summary>
    private static void Flip(StagingBed bed)
    {
        using var file = File.Open(bed.Destination("m") + "/" + Shard, FileMode.Open, FileAccess.ReadWrite);
        file.Position = file.Length - 1;
        var value = file.ReadByte();
        file.Position = file.Length - 1;
        file.WriteByte((byte)(value ^ 0x40));
    }
}
