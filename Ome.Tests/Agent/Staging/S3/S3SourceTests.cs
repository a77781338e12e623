using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Staging;
using Ome.Agent.Staging.S3;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Tests.Agent.Staging.Oci;
using Ome.Tests.Contracts;

namespace Ome.Tests.Agent.Staging.S3;

/// <summary>The contract of sources, for S3 through the AWS SDK against the fake store.</summary>
[Parallelizable]
public sealed class S3SourceContractTests : ArtifactSourceContract
{
    protected override async Task<ArtifactSourceBed> StartAsync(IReadOnlyDictionary<string, byte[]> files, CancellationToken cancellationToken)
    {
        var store = await FakeObjectStore.StartAsync(cancellationToken: cancellationToken);
        store.PageSize = 3;
        store.AccessKeys.Add(S3Bed.AccessKey);
        store.Put(S3Bed.Bucket, "org/model/", []);
        foreach (var (name, bytes) in files) store.Put(S3Bed.Bucket, "org/model/" + name, bytes);
        return new S3Bed(store);
    }
}

/// <summary>What is S3's own.</summary>
public sealed class S3SourceTests
{
    private const int MiB = 1024 * 1024;

    [Test, CancelAfter(120_000)]
    public async Task An_object_in_parts_is_listed_with_the_part_size_the_store_tells(CancellationToken token)
    {
        await using var bed = new S3Bed(await FakeObjectStore.StartAsync(cancellationToken: token));
        bed.Store.Put(S3Bed.Bucket, "org/model/a", StoredBlob.OfParts(new byte[(11 * MiB) + 5], 777_777));

        var listed = (await bed.Source.ListAsync(bed.Request, token)).Should().BeOfType<ListingResult.Listed>().Which.Listing;

        var file = listed.Files.Single();
        file.Digests.Should().BeEmpty();
        file.Alternatives.Should().ContainSingle().Which.Should().Match<ContentDigest>(digest => digest.PartSize == 777_777 && digest.Parts == 15);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_secret_without_its_keys_is_named(CancellationToken token)
    {
        await using var bed = new S3Bed(await FakeObjectStore.StartAsync(cancellationToken: token));

        var failure = (await bed.Source.ListAsync(bed.RequestWithoutCredentials, token)).Should().BeOfType<ListingResult.Failed>().Which.Failure;

        failure.Reason.Should().Be(StagingFailureReason.Unauthorized);
        failure.Message.Should().Contain("accessKeyId").And.Contain("/nothing");
    }

    [Test, CancelAfter(120_000)]
    public async Task Clients_of_rotated_keys_are_forgotten_and_those_in_use_are_not(CancellationToken token)
    {
        var secrets = new MemorySecrets();
        var options = new S3Options { Endpoint = "http://127.0.0.1:9" };
        using var clients = new S3Clients(options, secrets);
        var used = await OfKeyAsync("AKIDUSED");
        var old = await OfKeyAsync("AKIDOLD");

        for (var i = 0; i < S3Clients.Bound; i++)
        {
            await OfKeyAsync($"AKID{i}");
            (await OfKeyAsync("AKIDUSED")).Should().BeSameAs(used);
        }

        (await OfKeyAsync("AKIDOLD")).Should().NotBeSameAs(old);

        async Task<object> OfKeyAsync(string id)
        {
            secrets[$"{options.AgentNamespace}/aws/accessKeyId"] = id;
            secrets[$"{options.AgentNamespace}/aws/secretAccessKey"] = "secret of " + id;
            StorageUri.TryParse("s3://models/org/model", out var uri, out _).Should().BeTrue();
            var model = new ModelSpec { Key = ModelKey.Cluster("a-model"), StorageUri = uri!.Text, SecretName = "aws" };
            return (await clients.FindAsync(model, (StorageUri.S3)uri, token)).Client!;
        }
    }

    [Test]
    public void The_environment_names_another_store()
    {
        var options = new S3Options();

        S3Options.ReadEnvironment(options, name => name switch { "AWS_ENDPOINT_URL" => "http://minio:9000", "AWS_REGION" => "eu-west-1", _ => null });

        options.Endpoint.Should().Be("http://minio:9000");
        options.Region.Should().Be("eu-west-1");
    }
}

/// <summary>The S3 source on a fake store.</summary>
internal sealed class S3Bed : ArtifactSourceBed
{
    public const string Bucket = "models";
    public const string AccessKey = "AKIDFAKE";
    private const string Prefix = "org/model/";

    private readonly ServiceProvider _services;

    public S3Bed(FakeObjectStore store)
    {
        Store = store;
        var secrets = new MemorySecrets();
        var options = new S3Options { Endpoint = store.S3Endpoint, Retries = 4, AnswerTimeout = TimeSpan.FromSeconds(5) };
        secrets[$"{options.AgentNamespace}/aws/accessKeyId"] = AccessKey;
        secrets[$"{options.AgentNamespace}/aws/secretAccessKey"] = PlantedSecret;
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddS3Source();
        services.AddSingleton(options);
        services.AddSingleton<ISecretReader>(secrets);
        _services = services.BuildServiceProvider();
    }

    public FakeObjectStore Store { get; }

    public override IArtifactSource Source => _services.GetServices<IArtifactSource>().Single();

    public override SourceRequest Request { get; } = Of("s3://models/org/model", "aws");

    public override SourceRequest RequestWithoutCredentials { get; } = Of("s3://models/org/model", "nothing");

    public override SourceRequest RequestForNothing { get; } = Of("s3://models/org/nothing", "aws");

    public override bool HasRevisions => false;

    public override IReadOnlyList<string> Requests => Store.Requests;

    public override void RequireCredentials() => Store.RequiresCredentials = true;

    public override void CutNextBody(string path, long afterBytes) => Fault(new HubFault(HubFaultKind.Cut, HubFaultScope.Body, Prefix + path, AfterBytes: afterBytes));

    public override void StallNextBody(string path, long afterBytes) => Fault(new HubFault(HubFaultKind.Stall, HubFaultScope.Body, Prefix + path, AfterBytes: afterBytes));

    // The SDK repeats such an answer by itself, so a short limit is as many answers as it takes at most.
    public override void RateLimit(int requests, TimeSpan retryAfter) =>
        Fault(new HubFault(HubFaultKind.Status, Times: requests, Status: 429, RetryAfterSeconds: (int)retryAfter.TotalSeconds));

    public override void Break(int requests) => Fault(new HubFault(HubFaultKind.Status, Times: requests, Status: 503));

    public override void CorruptBodies(string path, int times) => Fault(new HubFault(HubFaultKind.WrongBytes, HubFaultScope.Body, Prefix + path, times));

    public override void Replace(string path, byte[] content) => Store.Put(Bucket, Prefix + path, content);

    public override async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await Store.DisposeAsync();
    }

    private void Fault(HubFault fault) => Store.Faults.Add(fault);

    private static SourceRequest Of(string text, string secret)
    {
        StorageUri.TryParse(text, out var uri, out var refusal).Should().BeTrue(refusal?.ToString());
        return new SourceRequest(new ModelSpec { Key = ModelKey.Cluster("a-model"), StorageUri = text, SecretName = secret }, uri!);
    }
}
