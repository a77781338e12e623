using System.Globalization;
using System.Net;
using System.Text.Json;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Ome.Agent.Publishing;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Agent.Host;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Publishing;

/// <summary>The rows of contract 10.1 and 10.3 that take a control plane: K27 and E13 to E16.</summary>
public sealed class ContractEntryTests
{
    private const string Table = "contract/agent.json";
    private const int Tries = 5;
    private static readonly ModelKey Own = ModelKey.Cluster("own");

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "label-gone" }), CancelAfter(180_000)]
    public async Task A_node_that_is_gone_needs_no_label(JsonElement row, CancellationToken token)
    {
        var plane = await ControlPlanes.SharedAsync(token);
        var node = "gone-" + Guid.NewGuid().ToString("N")[..8];
        IDisposable? gone = null;
        if (row.GetProperty("created").GetBoolean())
        {
            await plane.Admin.CoreV1.CreateNodeAsync(new V1Node { Metadata = new V1ObjectMeta { Name = node } }, cancellationToken: token);
            gone = plane.RequireFaults().Add(new() { Verb = "patch", Resource = "nodes", Name = node, Code = 404 });
        }

        using (gone)
        {
            await new NodeLabelSink(plane.Admin, node, Tries).ApplyAsync(new Dictionary<ModelKey, NodeModelState> { [Own] = NodeModelState.Ready }, token);
        }

        if (gone is not null) await plane.Admin.CoreV1.DeleteNodeAsync(node, cancellationToken: token);
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "writers" }), CancelAfter(180_000)]
    public async Task Writers_of_different_keys_lose_nothing(JsonElement row, CancellationToken token)
    {
        var plane = await ControlPlanes.SharedAsync(token);
        var (ns, node) = (await plane.CreateNamespaceAsync(token), "shared");
        var (writers, rounds) = (row.GetProperty("writers").GetInt32(), row.GetProperty("rounds").GetInt32());

        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(() => WriteAsync(writer), token)));

        var report = NodeReport.Read(node, (await plane.Admin.CoreV1.ReadNamespacedConfigMapAsync(node, ns, cancellationToken: token)).Data);
        for (var writer = 0; writer < writers; writer++) report.Entries[Key(writer)].Entry!.Config!.ModelType.Should().Be(Round(rounds - 1), "the last word of writer {0} stands", writer);

        async Task WriteAsync(int writer)
        {
            var sink = new ConfigMapSink(plane.Admin, ns, node, Tries);
            for (var round = 0; round < rounds;)
            {
                try
                {
                    var config = new ReportedConfig { ModelType = Round(round) };
                    await sink.ChangeAsync(new Dictionary<string, EntryChange> { [Key(writer)] = current => NodeModelEntry.WithConfig(current, "m", config) }, token);
                    round++;
                }
                catch (HttpOperationException raced) when (raced.Response.StatusCode == HttpStatusCode.Conflict)
                {
                    // Every try met another writer; the publisher comes back, too.
                }
            }
        }

        static string Key(int writer) => ModelKey.Cluster("m" + Round(writer)).DataKey;
        static string Round(int round) => round.ToString(CultureInfo.InvariantCulture);
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "removed" }), CancelAfter(180_000)]
    public async Task Removing_an_entry_succeeds_whatever_is_there_and_touches_no_other(JsonElement row, CancellationToken token)
    {
        var plane = await ControlPlanes.SharedAsync(token);
        var (ns, node) = (await plane.CreateNamespaceAsync(token), "node");
        if (Data(row, "data") is { } data)
        {
            var meta = new V1ObjectMeta { Name = node, Labels = new Dictionary<string, string>(NodeReport.LabelsFor(node)), Annotations = new Dictionary<string, string>(NodeReport.AnnotationsFor(node)) };
            await plane.Admin.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = meta, Data = data }, ns, cancellationToken: token);
        }

        await new ConfigMapSink(plane.Admin, ns, node, Tries).ChangeAsync(new Dictionary<string, EntryChange> { [Own.DataKey] = static _ => null }, token);

        var maps = await plane.Admin.CoreV1.ListNamespacedConfigMapAsync(ns, fieldSelector: "metadata.name=" + node, cancellationToken: token);
        maps.Items.SingleOrDefault()?.Data.Should().Equal(Data(row, "want"));
        maps.Items.Should().HaveCount(Data(row, "want") is null ? 0 : 1);
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "restored" }), CancelAfter(180_000)]
    public async Task What_somebody_removes_comes_back_with_its_mark_unless_its_model_is_gone(JsonElement row, CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(cancellationToken: token);
        var (model, other) = ("one-" + node.NodeName, "other-" + node.NodeName);
        foreach (var name in new[] { model, other })
        {
            await node.ApplyClusterModelAsync(name, "local://" + node.WriteModel(name), null, token);
            await node.WaitForAsync(name, NodeModelState.Ready, token);
        }

        var isDeleted = row.TryGetProperty("deleted", out _);
        if (isDeleted)
        {
            await node.DeleteClusterModelAsync(model, token);
            await node.WaitForAsync(model, NodeModelState.Deleted, token);
        }

        await RemoveAsync(node, row.Text("remove")!, model, token);

        await node.WaitForAsync(other, NodeModelState.Ready, token);
        if (!isDeleted) await node.WaitForAsync(model, NodeModelState.Ready, token);
        while (await MarkAsync(node, token) != "true") await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
        if (!isDeleted) return;
        // Another removal is made up for: whatever the first one set going has ended.
        await RemoveAsync(node, "key", other, token);
        await node.WaitForAsync(other, NodeModelState.Ready, token);
        (await node.EntryAsync(model)).Should().BeNull();
        (await node.LabelAsync(model)).Should().BeNull();
    }

    private static Task RemoveAsync(AgentFixture node, string what, string model, CancellationToken token)
    {
        object Patch() => what == "key"
            ? new { data = new Dictionary<string, string?> { [ModelKey.Cluster(model).DataKey] = null } }
            : new { metadata = new { labels = new Dictionary<string, string?> { ["models.ome/basemodel-status"] = null } } };
        var core = node.Plane.Admin.CoreV1;
        return what == "map"
            ? core.DeleteNamespacedConfigMapAsync(node.NodeName, node.Namespace, cancellationToken: token)
            : core.PatchNamespacedConfigMapAsync(new V1Patch(Patch(), V1Patch.PatchType.MergePatch), node.NodeName, node.Namespace, cancellationToken: token);
    }

    private static async Task<string?> MarkAsync(AgentFixture node, CancellationToken token)
    {
        var maps = await node.Plane.Admin.CoreV1.ListNamespacedConfigMapAsync(node.Namespace, fieldSelector: "metadata.name=" + node.NodeName, cancellationToken: token);
        return maps.Items.SingleOrDefault()?.Metadata.Labels is { } labels && labels.TryGetValue("models.ome/basemodel-status", out var mark) ? mark : null;
    }

    /// <summary>The data of a ConfigMap, where "own" stands for the key that is removed.</summary>
    private static Dictionary<string, string>? Data(JsonElement row, string member) =>
        row.GetProperty(member).Deserialize<Dictionary<string, string>>()?.ToDictionary(static pair => pair.Key == "own" ? Own.DataKey : pair.Key, static pair => pair.Value);
}
