using System.Text.Json;
using k8s;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Operator;

/// <summary>The rows of contract 10.7 that speak of a cluster, each against a running operator.</summary>
public sealed class ContractStatusTests : OperatorFixture
{
    private const string Table = "contract/controller.json";

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "finalizer" }), CancelAfter(180_000)]
    public async Task A_new_model_gets_its_fixed_finalizer_and_a_first_status(JsonElement row, CancellationToken cancellationToken)
    {
        ModelEntity? found;
        if (row.Text("kind") == ClusterBaseModel.KindName)
        {
            found = await UntilAsync(await ModelAsync(cancellationToken), static one => one.Status?.State is not null, cancellationToken);
        }
        else
        {
            var ns = await Plane.CreateNamespaceAsync(cancellationToken);
            found = await Models.UntilAsync(ns, (await BaseModelAsync(ns, cancellationToken)).Name, static one => one?.Status?.State is not null, cancellationToken);
        }

        found!.Finalizers().Should().Equal(row.Text("want"));
        found!.Status.State.Should().Be("In_Transit");
        found.Status.Conditions.Should().Contain(condition => condition.Type == "Ready" && condition.Status == "False" && condition.Reason == "NoNode");
    }

    /// <summary>
    /// What the nodes say is there before the model, so its first status is already the fold of it; then the model is deleted, and goes at once or waits.
    /// </summary>
    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "fold" }), CancelAfter(180_000)]
    public async Task Reports_fold_into_the_status_and_hold_a_deleted_model(JsonElement row, CancellationToken cancellationToken)
    {
        var prefix = $"{row.Text("id")!.ToLowerInvariant()}-{Guid.NewGuid():N}"[..14] + "-";
        var key = ModelKey.Cluster(prefix + "m");
        foreach (var node in row.Texts("live")) await NodeAsync(cancellationToken, prefix + node);
        foreach (var entry in row.GetProperty("entries").EnumerateObject()) await ReportAsync(prefix + entry.Name, key, Entry(entry.Value, key), cancellationToken);
        await SeenAsync(cancellationToken);

        await ModelAsync(cancellationToken, model =>
        {
            model.Metadata.Name = key.Name;
            model.Spec.Storage = new ModelStorage { StorageUri = "hf://org/m", Path = "/mnt/models/m" };
        });

        var status = (await UntilAsync(key, static one => one.Status?.State is not null, cancellationToken)).Status;
        status.State.Should().Be(row.Text("state") == "InTransit" ? "In_Transit" : row.Text("state"));
        (status.NodesReady ?? []).Should().Equal(row.Texts("ready").Select(node => prefix + node));
        (status.NodesFailed ?? []).Should().Equal(row.Texts("failed").Select(node => prefix + node));
        if (!row.TryGetProperty("released", out var released)) return;
        await DeleteAsync(key, cancellationToken);
        if (!released.GetBoolean())
        {
            await UntilAsync(key, static one => one.Status?.Conditions?.Exists(static condition => condition.Reason == "Deleting") == true, cancellationToken);
            foreach (var node in row.Texts("live")) await ReportAsync(prefix + node, key, (string?)null, cancellationToken);
        }

        await UntilGoneAsync(key, cancellationToken);
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "quiet" }), CancelAfter(180_000)]
    public async Task A_report_that_changes_nothing_writes_nothing(JsonElement row, CancellationToken cancellationToken)
    {
        var log = Plane.RequireRequestLog();
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken);
        var entries = row.GetProperty("entries").EnumerateArray().Select(entry => Entry(entry, model)).ToList();
        await ReportAsync(node, model, entries[0], cancellationToken);
        await UntilAsync(model, static one => one.Status?.State == "Ready", cancellationToken);
        log.Clear();

        foreach (var entry in entries) await ReportAsync(node, model, entry, cancellationToken);
        await SeenAsync(cancellationToken);

        log.Writes.Should().NotContain(write => write.Resource == ClusterBaseModel.Plural && write.Name == model.Name);
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "ignored" }), CancelAfter(180_000)]
    public async Task Config_maps_without_the_mark_or_elsewhere_count_for_nothing(JsonElement row, CancellationToken cancellationToken)
    {
        var (stray, good) = (await NodeAsync(cancellationToken), await NodeAsync(cancellationToken));
        var model = await ModelAsync(cancellationToken);
        var ns = row.TryGetProperty("elsewhere", out _) ? await Plane.CreateNamespaceAsync(cancellationToken) : Namespace;
        await MapAsync(ns, stray, row.Text("label"), new Dictionary<string, string> { [model.DataKey] = """{"status":"Ready"}""" }, cancellationToken);

        await ReportAsync(good, model, NodeModelState.Ready, cancellationToken);

        var found = await UntilAsync(model, static one => one.Status?.State == "Ready", cancellationToken);
        found.Status.NodesReady.Should().Equal(good);
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "reaped" }), CancelAfter(180_000)]
    public async Task The_report_of_a_deleted_node_goes_and_what_is_not_ours_stays(JsonElement row, CancellationToken cancellationToken)
    {
        var (node, later) = (await NodeAsync(cancellationToken), await NodeAsync(cancellationToken));
        var model = await ModelAsync(cancellationToken);
        await ReportAsync(later, model, NodeModelState.Ready, cancellationToken);
        if (!row.TryGetProperty("missing", out _)) await MapAsync(Namespace, node, row.Text("label"), [], cancellationToken);
        await UntilAsync(model, static found => found.Status?.State == "Ready", cancellationToken);

        // Nodes are looked after in turn: when the second one's report is gone, the first was looked at.
        await DeleteNodeAsync(node, cancellationToken);
        await DeleteNodeAsync(later, cancellationToken);
        await Reports.UntilAsync(Namespace, later, static found => found is null, cancellationToken);

        if (row.GetProperty("kept").GetBoolean()) (await Plane.Admin.CoreV1.ReadNamespacedConfigMapAsync(node, Namespace, cancellationToken: cancellationToken)).Name().Should().Be(node);
        else await Reports.UntilAsync(Namespace, node, static found => found is null, cancellationToken);
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "conflicts" }), CancelAfter(180_000)]
    public async Task Conflicts_then_success(JsonElement row, CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        var node = await NodeAsync(cancellationToken);
        var model = await ModelAsync(cancellationToken);
        await UntilAsync(model, static found => found.Status?.State is not null, cancellationToken);
        var times = row.GetProperty("times").GetInt32();
        using var conflicts = faults.Add(new() { Verb = "patch", Subresource = "status", Name = model.Name, Code = 409, Times = times });

        await ReportAsync(node, model, NodeModelState.Ready, cancellationToken);

        await UntilAsync(model, static found => found.Status?.State == "Ready", cancellationToken);
        conflicts.Hits.Should().Be(times);
    }

    /// <summary>Reports are taken in order: once the status shows one that was written now, all before it were taken.</summary>
    private async Task SeenAsync(CancellationToken cancellationToken)
    {
        var (node, last) = (await NodeAsync(cancellationToken), await ModelAsync(cancellationToken));
        await ReportAsync(node, last, NodeModelState.Ready, cancellationToken);
        await UntilAsync(last, static one => one.Status?.State == "Ready", cancellationToken);
    }

    private Task MapAsync(string ns, string name, string? label, Dictionary<string, string> data, CancellationToken cancellationToken) =>
        Plane.Admin.CoreV1.CreateNamespacedConfigMapAsync(
            new V1ConfigMap { Metadata = new V1ObjectMeta { Name = name, Labels = label is null ? null : new Dictionary<string, string> { [OmeNames.ReportLabel] = label } }, Data = data }, ns, cancellationToken: cancellationToken);

    // The tables call the model m; on a cluster each row has a model of its own.
    private static string Entry(JsonElement entry, ModelKey model) => entry.ValueKind == JsonValueKind.String
        ? entry.GetString()!
        : entry.GetRawText().Replace("\"name\":\"m\"", $"\"name\":\"{model.Name}\"", StringComparison.Ordinal);
}
