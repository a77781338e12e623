using k8s;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Staging.Oci;
using Ome.Agent.Staging.S3;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>Models of OCI Object Storage and of S3 through the whole circle: staged with credentials, damaged, withdrawn, repaired once that is allowed, readmitted, deleted.</summary>
[Parallelizable]
public sealed class ObjectStoreModelTests
{
    private const string Bucket = "models";
    private const int PartBytes = 8 << 20;

    [TestCase("oci://n/fake-namespace/b/models/o/org/tiny")]
    [TestCase("s3://models/org/tiny")]
    [CancelAfter(120_000)]
    public async Task A_model_of_an_object_store_is_repaired_by_the_bytes_that_are_bad(string uri, CancellationToken token)
    {
        using var tree = new TempDirectory();
        // One file of two chunks, the second of them small: a repair of the file as a whole would show in the bytes that are sent.
        ModelTree.Write(tree.Path, new ModelTreeOptions(TotalBytes: 70_000_000, Shards: 1));
        await using var store = await StoreAsync(tree.Path, token);
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await CreateSecretAsync(node, token);
        await StartAsync(node, store, token);
        var (model, directory) = ("store-" + node.NodeName, Path.Combine(node.ModelsRoot, "tiny"));

        await node.ApplyClusterModelAsync(model, uri, directory, token, secret: uri.StartsWith("s3", StringComparison.Ordinal) ? "aws" : null);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        var entry = await node.EntryAsync(model);
        entry!.Config!.ModelType.Should().Be("llama");
        entry.Config.Artifact.Should().BeEquivalentTo(new ReportedArtifact(), "only the hub has commits");
        (await node.WaitForCheckAsync(model, check => check.Status.Result == "Valid", token)).Status.Trust.Should().Be("upstream");

        var weights = Path.Combine(directory, "model.safetensors");
        FileDamage.Flip(weights);
        await node.WaitForAsync(model, NodeModelState.Failed, token);
        (await node.EntryAsync(model))!.Validation!.Reason.Should().Be("DigestMismatch");

        var sent = store.BodyBytesSent;
        await node.AnnotateClusterModelAsync(model, OmeNames.IntegrityOnDamageAnnotation, "WithdrawAndRepair", token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        AreSame(directory, tree.Path).Should().BeTrue();
        (store.BodyBytesSent - sent).Should().BeInRange(1, 8_000_000, "the good chunk is not fetched again");

        File.Delete(Path.Combine(directory, "tokenizer_config.json"));
        while (!File.Exists(Path.Combine(directory, "tokenizer_config.json"))) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        AreSame(directory, tree.Path).Should().BeTrue();
        store.Callers.Refused.Should().BeEmpty();

        await node.DeleteClusterModelAsync(model, token);
        await node.WaitForAsync(model, NodeModelState.Deleted, token);
        Directory.Exists(directory).Should().BeFalse();
    }

    /// <summary>A store that asks for credentials, with a model uploaded as people do: weights in parts, the rest in one piece.</summary>
    private static async Task<FakeObjectStore> StoreAsync(string tree, CancellationToken token)
    {
        var store = await FakeObjectStore.StartAsync(cancellationToken: token);
        store.RequiresCredentials = true;
        store.AccessKeys.Add("AKIDFAKE");
        foreach (var (path, bytes) in TestFiles.Tree(tree))
        {
            if (bytes.Length > PartBytes) store.Put(Bucket, "org/tiny/" + path, StoredBlob.OfParts(bytes, PartBytes));
            else store.Put(Bucket, "org/tiny/" + path, bytes);
        }

        return store;
    }

    private static Task CreateSecretAsync(AgentFixture node, CancellationToken token) => node.Plane.Admin.CoreV1.CreateNamespacedSecretAsync(
        new V1Secret
        {
            Metadata = new V1ObjectMeta { Name = "aws" },
            Data = new Dictionary<string, byte[]> { ["accessKeyId"] = "AKIDFAKE"u8.ToArray(), ["secretAccessKey"] = "a-secret"u8.ToArray() },
        },
        node.Namespace, cancellationToken: token);

    private static Task StartAsync(AgentFixture node, FakeObjectStore store, CancellationToken token)
    {
        store.Callers.Instance = new InstanceIdentity("ocid1.tenancy.fake", TimeProvider.System.GetUtcNow());
        return node.StartAsync(
            null,
            services =>
            {
                services.Configure<OciOptions>(oci => (oci.Endpoint, oci.MetadataEndpoint, oci.AuthEndpoint) = (store.Endpoint, store.Endpoint + "/opc/v2/", store.Endpoint));
                services.Configure<S3Options>(s3 => s3.Endpoint = store.S3Endpoint);
            },
            token);
    }

    private static bool AreSame(string one, string other)
    {
        var (left, right) = (TestFiles.Tree(one), TestFiles.Tree(other));
        return left.Keys.SequenceEqual(right.Keys) && left.All(file => file.Value.AsSpan().SequenceEqual(right[file.Key]));
    }
}
