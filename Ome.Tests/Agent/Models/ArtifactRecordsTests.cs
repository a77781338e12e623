using System.Text.Json;
using k8s;
using k8s.Models;
using Ome.Agent.Models;
using Ome.Agent.Publishing;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Models;

/// <summary>Children of an artifact in the node's ConfigMap: the rows of contract 10.4 that are about the entry of another model.</summary>
public sealed class ArtifactRecordsTests
{
    private const string Node = "records-node";
    private const string Parent = "clusterbasemodel.p";

    [Test, CancelAfter(120_000)]
    public async Task A10_a_child_comes_and_goes_with_its_parents_entry(CancellationToken token)
    {
        var (_, _, records) = await RecordsAsync(NodeReportCodec.Encode(NodeModelEntry.Of("p", NodeModelState.Ready)), token);

        (await records.AddChildAsync(Parent, "/m/c", token)).Should().BeTrue();
        (await records.ReadAsync(token))!.Entries[Parent].Entry!.Config!.Artifact.ChildrenPaths.Should().Equal("/m/c");
        (await records.RemoveChildAsync(Parent, "/m/c", token)).Should().BeTrue();
        (await records.ReadAsync(token))!.Entries[Parent].Entry!.Config!.Artifact.ChildrenPaths.Should().BeEmpty();
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { "contract/artifacts.json", "write" })]
    public async Task Write(JsonElement row)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var token = stop.Token;
        var (client, ns, records) = await RecordsAsync(row.Text("entry") ?? "", token, row.Text("entry") is null ? "clusterbasemodel.other" : Parent);
        var before = await client.CoreV1.ReadNamespacedConfigMapAsync(Node, ns, cancellationToken: token);

        var done = row.Text("change") == "add" ? await records.AddChildAsync(Parent, "/m/c", token) : await records.RemoveChildAsync(Parent, "/m/c", token);

        done.Should().Be(row.GetProperty("done").GetBoolean());
        var after = await client.CoreV1.ReadNamespacedConfigMapAsync(Node, ns, cancellationToken: token);
        after.Data.Should().BeEquivalentTo(before.Data);
        after.Metadata.ResourceVersion.Should().Be(before.Metadata.ResourceVersion);
    }

    private static async Task<(IKubernetes Client, string Namespace, ArtifactRecords Records)> RecordsAsync(string entry, CancellationToken token, string key = Parent)
    {
        var plane = await ControlPlanes.SharedAsync(token);
        var ns = await plane.CreateNamespaceAsync(token);
        await plane.Admin.CoreV1.CreateNamespacedConfigMapAsync(
            new V1ConfigMap { Metadata = new V1ObjectMeta { Name = Node }, Data = new Dictionary<string, string> { [key] = entry } }, ns, cancellationToken: token);
        var sink = new ConfigMapSink(plane.Admin, ns, Node, tries: 3);
        // What OME left gets its labels with the first write: that is not what is asked here.
        await sink.ChangeAsync(new Dictionary<string, EntryChange>(), token);
        return (plane.Admin, ns, new ArtifactRecords(sink));
    }
}
