using System.Text.Json;
using Ome.Agent.Staging;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Tests.Contracts;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging.Oci;

/// <summary>What is OCI's own: addresses, digests, the shape filter, the rows P22 and P23 of contract 10.8.</summary>
public sealed class OciSourceTests
{
    private const int MiB = 1024 * 1024;

    [TestCase("oci://n/fake-namespace/b/models/o/models/a")]
    [TestCase("oci://n/fake-namespace/b/models/o/models/a/")]
    [TestCase("oci://fake-namespace@us-ashburn-1/models/models/a")]
    [TestCase("oci://models/models/a")]
    [CancelAfter(120_000)]
    public async Task Every_form_of_the_address_leads_to_the_same_file(string uri, CancellationToken token)
    {
        await using var bed = await OciBed.StartAsync(token);
        bed.Store.RequiresCredentials = true;
        bed.Store.Put("models", "models/a/config.json", "{}"u8.ToArray());
        bed.Store.Put("models", "models/ab/other.json", "{}"u8.ToArray());

        var listing = await ListAsync(bed, OciBed.Request(uri), token);

        var file = listing.Files.Should().ContainSingle().Subject;
        file.Path.Value.Should().Be("config.json");
        file.SourceName.Should().Be("models/a/config.json");
    }

    [Test, CancelAfter(120_000)]
    public async Task An_object_in_one_piece_is_listed_without_asking_for_it(CancellationToken token)
    {
        await using var bed = await OciBed.StartAsync(token);
        bed.Store.Put("models", "m/a", [1, 2, 3]);

        var listing = await ListAsync(bed, OciBed.Request("oci://models/m"), token);

        listing.Files.Single().Digests.Should().ContainSingle().Which.Algorithm.Should().Be(DigestAlgorithm.Md5);
        bed.Store.Requests.Should().NotContain(request => request.StartsWith("HEAD", StringComparison.Ordinal));
    }

    [Test, CancelAfter(120_000)]
    public async Task An_object_in_parts_has_the_digest_its_uploader_left_or_one_per_part_size(CancellationToken token)
    {
        await using var bed = await OciBed.StartAsync(token);
        var content = new byte[(11 * MiB) + 5];
        bed.Store.Put("models", "m/with", StoredBlob.OfParts(content, 5 * MiB, withMetadata: true));
        bed.Store.Put("models", "m/without", StoredBlob.OfParts(content, 5 * MiB));
        bed.Store.Put("models", "m/nothing", StoredBlob.Of(content, withMd5: false));

        var listing = await ListAsync(bed, OciBed.Request("oci://models/m"), token);

        var files = listing.Files.ToDictionary(file => file.Path.Value, StringComparer.Ordinal);
        files["with"].Digests.Should().ContainSingle().Which.Algorithm.Should().Be(DigestAlgorithm.Md5);
        files["without"].Digests.Should().BeEmpty();
        files["without"].Alternatives.Should().Contain(digest => digest.PartSize == 5 * MiB && digest.Parts == 3);
        files["nothing"].Digests.Should().BeEmpty();
        files["nothing"].Alternatives.Should().BeEmpty();
    }

    [TestCase("tensorrtllm", "Serving", "BM.GPU.H100.8", "x/H100/engine")]
    [TestCase("tensorrtllm", "Serving", "BM.GPU.A10.4", "x/A10/engine")]
    [TestCase("tensorrtllm", "FineTuned", "BM.GPU.A10.4", "x/A10/engine,x/H100/engine")]
    [TestCase("safetensors", "Serving", "BM.GPU.A10.4", "x/A10/engine,x/H100/engine")]
    [CancelAfter(120_000)]
    public async Task Engines_are_taken_for_the_shape_of_the_node(string format, string role, string instanceType, string expected, CancellationToken token)
    {
        await using var bed = await OciBed.StartAsync(token);
        bed.Store.Put("models", "m/x/H100/engine", [1]);
        bed.Store.Put("models", "m/x/A10/engine", [2]);

        var listing = await ListAsync(bed, OciBed.Request("oci://models/m", node: Node(instanceType), format: format, role: role), token);

        string.Join(',', listing.Files.Select(file => file.Path.Value)).Should().Be(expected);
    }

    [Test, CancelAfter(120_000)]
    public async Task No_engine_for_the_shape_is_a_failure_that_says_so(CancellationToken token)
    {
        await using var bed = await OciBed.StartAsync(token);
        bed.Store.Put("models", "m/x/H100/engine", [1]);

        var failure = await FailAsync(bed, OciBed.Request("oci://models/m", node: Node("BM.GPU.A10.4"), format: "tensorrtllm"), token);

        failure.Reason.Should().Be(StagingFailureReason.NotFound);
        failure.Message.Should().Contain("/A10/").And.Contain("shape");
    }

    [TestCase("oci://n/other/b/models/o/m", StagingFailureReason.NotFound, "namespace")]
    [TestCase("oci://n/fake-namespace/b/nothing/o/m", StagingFailureReason.NotFound, "bucket")]
    [CancelAfter(120_000)]
    public async Task What_is_not_there_is_named(string uri, StagingFailureReason reason, string says, CancellationToken token)
    {
        await using var bed = await OciBed.StartAsync(token);
        bed.Store.Put("models", "m/a", [1]);

        var failure = await FailAsync(bed, OciBed.Request(uri), token);

        failure.Reason.Should().Be(reason);
        failure.Message.Should().Contain(says);
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { "contract/storage.json", "list" })]
    public async Task List(JsonElement row)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await using var bed = await OciBed.StartAsync(stop.Token);
        bed.Store.Put("models", "m/a", [1]);

        var failure = await FailAsync(bed, OciBed.Request(row.Text("uri")!, row.Text("auth") ?? "UserPrincipal"), stop.Token);

        failure.Reason.ToString().Should().Be(row.Text("fails"));
        failure.Message.Should().ContainAll(row.Texts("says"));
    }

    [Test, CancelAfter(120_000)]
    public async Task A_region_that_could_leave_the_host_name_is_refused(CancellationToken token)
    {
        await using var bed = await OciBed.StartAsync(token);
        bed.Options.Endpoint = null;
        var request = OciBed.Request("oci://models/m");
        var model = request.Model with { Parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["auth"] = "UserPrincipal", ["region"] = "evil.example/x" } };

        var failure = await FailAsync(bed, request with { Model = model }, token);

        failure.Reason.Should().Be(StagingFailureReason.Refused);
        failure.Message.Should().Contain("region");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_name_that_leaves_the_directory_ends_the_listing(CancellationToken token)
    {
        await using var bed = await OciBed.StartAsync(token);
        bed.Store.Put("models", "m/../../etc/passwd", [1]);

        (await FailAsync(bed, OciBed.Request("oci://models/m"), token)).Reason.Should().Be(StagingFailureReason.ListingInvalid);
    }

    [Test, CancelAfter(120_000)]
    public async Task Nothing_secret_is_logged(CancellationToken token)
    {
        await using var bed = await OciBed.StartAsync(token);
        bed.Store.RequiresCredentials = true;
        bed.Store.Put("models", "m/a", [1]);
        bed.Store.Faults.Add(new HubFault(HubFaultKind.Status, Status: 503));

        await ListAsync(bed, OciBed.Request("oci://models/m"), token);

        var said = string.Join('\n', bed.Logs.Lines);
        said.Should().NotContain(ArtifactSourceBed.PlantedSecret).And.NotContainEquivalentOf("signature=");
    }

    internal static async Task<ArtifactListing> ListAsync(OciBed bed, SourceRequest request, CancellationToken token) =>
        (await bed.Source.ListAsync(request, token)).Should().BeOfType<ListingResult.Listed>().Which.Listing;

    internal static async Task<StagingFailure> FailAsync(OciBed bed, SourceRequest request, CancellationToken token) =>
        (await bed.Source.ListAsync(request, token)).Should().BeOfType<ListingResult.Failed>().Which.Failure;

    private static NodeFacts Node(string instanceType) => new()
    {
        Name = "n",
        Labels = new Dictionary<string, string>(StringComparer.Ordinal) { [Ome.Shared.Domain.OmeNames.InstanceTypeLabel] = instanceType },
    };
}
