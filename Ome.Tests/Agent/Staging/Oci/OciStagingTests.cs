using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Staging;
using Ome.Agent.Staging.Oci;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Manifests;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging.Oci;

/// <summary>The whole stager on the OCI source: what the manifest says of objects that were uploaded in one way or another (W18).</summary>
public sealed class OciStagingTests
{
    private const int MiB = 1024 * 1024;

    [Test, CancelAfter(180_000)]
    public async Task Objects_in_parts_are_proven_by_their_composite_and_it_is_kept(CancellationToken token)
    {
        await using var store = await FakeObjectStore.StartAsync(cancellationToken: token);
        await using var bed = await StartAsync(store, token);
        var shard = Noise((21 * MiB) + 9);
        store.Put("models", "m/config.json", "{}"u8.ToArray());
        store.Put("models", "m/model.safetensors", StoredBlob.OfParts(shard, 8 * MiB));

        var manifest = await StageAsync(bed, token);

        var entry = manifest.Entries.Single(entry => entry.Path.Value == "model.safetensors");
        entry.Upstream.Should().ContainSingle().Which.Should().Match<ContentDigest>(digest => digest.Algorithm == DigestAlgorithm.Md5Composite && digest.PartSize == 8 * MiB);
        manifest.Trust.Should().Be(ManifestTrust.Upstream);
        (await File.ReadAllBytesAsync(bed.Destination("m") + "/model.safetensors", token)).Should().Equal(shard);
    }

    /// <summary>Contract 5.1 where it is decided: is what lies under the file's name the object, or is it fetched?</summary>
    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { "contract/storage.json", "local" })]
    public async Task Local(JsonElement row)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var token = stop.Token;
        await using var store = await FakeObjectStore.StartAsync(cancellationToken: token);
        await using var bed = await StartAsync(store, token);
        var content = Noise(6 * MiB);
        store.Put("models", "m/file", Blob(row.Text("object")!, content));
        if (row.Text("local") is { } local) Lay(bed.Destination("m") + "/file", local, content);
        if (row.TryGetProperty("status", out var status)) store.Faults.Add(new HubFault(HubFaultKind.Status, HubFaultScope.Any, "m/file", Times: int.MaxValue, Status: status.GetInt32()));

        var result = await bed.Stager.StageAsync(Request(bed), null, token);

        (result is StagingResult.Failed ? "failed" : store.BodyBytesSent == 0 ? "kept" : "fetched").Should().Be(row.Text("want"));
        if (result is not StagingResult.Staged staged) return;
        staged.Manifest.Trust.ToString().Should().Be(row.Text("trust") ?? "Upstream");
        (await File.ReadAllBytesAsync(bed.Destination("m") + "/file", token)).AsSpan().SequenceEqual(content).Should().BeTrue();
    }

    [Test, CancelAfter(180_000)]
    public async Task An_odd_part_size_stages_the_object_and_claims_no_proof(CancellationToken token)
    {
        await using var store = await FakeObjectStore.StartAsync(cancellationToken: token);
        await using var bed = await StartAsync(store, token);
        store.Put("models", "m/model.safetensors", StoredBlob.OfParts(Noise(3 * MiB), 777_777));

        var manifest = await StageAsync(bed, token);

        manifest.Entries.Single().Upstream.Should().BeEmpty();
        manifest.Trust.Should().Be(ManifestTrust.Local);
    }

    [Test, CancelAfter(180_000)]
    public async Task A_second_staging_reads_what_lies_there_instead_of_the_store(CancellationToken token)
    {
        await using var store = await FakeObjectStore.StartAsync(cancellationToken: token);
        await using var bed = await StartAsync(store, token);
        store.Put("models", "m/model.safetensors", StoredBlob.OfParts(Noise(21 * MiB), 8 * MiB));
        await StageAsync(bed, token);
        var sent = store.BodyBytesSent;

        bed.Restart();
        await StageAsync(bed, token);

        store.BodyBytesSent.Should().Be(sent);
    }

    [Test, CancelAfter(180_000)]
    public async Task Wrong_bytes_under_a_published_md5_never_become_visible(CancellationToken token)
    {
        await using var store = await FakeObjectStore.StartAsync(cancellationToken: token);
        await using var bed = await StartAsync(store, token);
        store.Put("models", "m/model.safetensors", Noise(100_000));
        store.Faults.Add(new HubFault(HubFaultKind.WrongBytes, HubFaultScope.Body, "m/model.safetensors", Times: 10, AfterBytes: 50_000));

        var result = await bed.Stager.StageAsync(Request(bed), null, token);

        result.Should().BeOfType<StagingResult.Failed>().Which.Failure.Reason.Should().Be(StagingFailureReason.WrongBytes);
        File.Exists(bed.Destination("m") + "/model.safetensors").Should().BeFalse();
    }

    private static Task<StagingBed> StartAsync(FakeObjectStore store, CancellationToken token)
    {
        store.Callers.Instance = new InstanceIdentity("ocid1.tenancy.fake", TimeProvider.System.GetUtcNow());
        store.RequiresCredentials = true;
        return StagingBed.StartAsync(
            services =>
            {
                services.AddOciSource();
                services.AddSingleton(new OciOptions { Endpoint = store.Endpoint, MetadataEndpoint = store.Endpoint + "/opc/v2/", AuthEndpoint = store.Endpoint, RetryDelay = TimeSpan.FromMilliseconds(5) });
            },
            token);
    }

    private static async Task<ArtifactManifest> StageAsync(StagingBed bed, CancellationToken token) =>
        (await bed.Stager.StageAsync(Request(bed), null, token)).Should().BeOfType<StagingResult.Staged>().Which.Manifest;

    private static StagingRequest Request(StagingBed bed)
    {
        var request = OciBed.Request("oci://n/fake-namespace/b/models/o/m", auth: null);
        return new StagingRequest(request.Model, request.Uri, bed.Destination("m"));
    }

    private static StoredBlob Blob(string form, byte[] content) => form switch
    {
        "one piece" => StoredBlob.Of(content),
        "no digest" => StoredBlob.Of(content, withMd5: false),
        "parts" => StoredBlob.OfParts(content, 5 * MiB),
        "odd parts" => StoredBlob.OfParts(content, 777_777),
        "parts with metadata" => StoredBlob.OfParts(content, 777_777, withMetadata: true),
        _ => throw new ArgumentException(form, nameof(form)),
    };

    private static void Lay(string file, string form, byte[] content)
    {
        var bytes = form == "other size" ? content[1..] : [.. content];
        if (form == "other bytes") bytes[MiB] ^= 1;
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, bytes);
    }

    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(5).NextBytes(bytes);
        return bytes;
    }
}
