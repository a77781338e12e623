using k8s;
using k8s.Models;
using Ome.Agent.Models;
using Ome.Agent.Publishing;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Models;

/// <summary>Children of an artifact in the node's ConfigMap: the rows of contract 10.4 that are about the entry of another model.</summary>
public sealed class ArtifactRecordsTests
{
    private const string Node = "records-node";
    private const string Parent = "clusterbasemodel.p";

    [Test, CancelAfter(120_000)]
    public async Task A10_A12_a_child_comes_and_goes_with_its_parents_entry_and_without_one_nothing_is_written(CancellationToken token)
    {
        var (client, ns, records) = await RecordsAsync(NodeReportCodec.Encode(NodeModelEntry.Of("p", NodeModelState.Ready)), token);

        (await records.AddChildAsync(Parent, "/m/c", token)).Should().BeTrue();
        (await records.ReadAsync(token))!.Entries[Parent].Entry!.Config!.Artifact.ChildrenPaths.Should().Equal("/m/c");
        (await records.RemoveChildAsync(Parent, "/m/c", token)).Should().BeTrue();
        (await records.ReadAsync(token))!.Entries[Parent].Entry!.Config!.Artifact.ChildrenPaths.Should().BeEmpty();

        var before = await client.CoreV1.ReadNamespacedConfigMapAsync(Node, ns, cancellationToken: token);
        (await records.AddChildAsync("clusterbasemodel.absent", "/m/c", token)).Should().BeTrue();
        (await records.RemoveChildAsync("clusterbasemodel.absent", "/m/c", token)).Should().BeTrue();
        (await client.CoreV1.ReadNamespacedConfigMapAsync(Node, ns, cancellationToken: token)).Metadata.ResourceVersion.Should().Be(before.Metadata.ResourceVersion);
    }

    [Test, CancelAfter(120_000)]
    public async Task A13_an_entry_that_is_not_json_is_told_and_left_as_it_is(CancellationToken token)
    {
        var (client, ns, records) = await RecordsAsync("not json", token);

        (await records.AddChildAsync(Parent, "/m/c", token)).Should().BeFalse();
        (await records.RemoveChildAsync(Parent, "/m/c", token)).Should().BeFalse();

        (await client.CoreV1.ReadNamespacedConfigMapAsync(Node, ns, cancellationToken: token)).Data[Parent].Should().Be("not json");
    }

    private static async Task<(IKubernetes Client, string Namespace, ArtifactRecords Records)> RecordsAsync(string entry, CancellationToken token)
    {
        var plane = await ControlPlanes.SharedAsync(token);
        var ns = await plane.CreateNamespaceAsync(token);
        await plane.Admin.CoreV1.CreateNamespacedConfigMapAsync(
            new V1ConfigMap { Metadata = new V1ObjectMeta { Name = Node }, Data = new Dictionary<string, string> { [Parent] = entry } }, ns, cancellationToken: token);
        var sink = new ConfigMapSink(plane.Admin, ns, Node, tries: 3);
        // What OME left gets its labels with the first write: that is not what is asked here.
        await sink.ChangeAsync(new Dictionary<string, EntryChange>(), token);
        return (plane.Admin, ns, new ArtifactRecords(sink));
    }
}
