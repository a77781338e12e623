using System.Globalization;
using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Models;
using Ome.LocalCluster.Faults;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>An API server that fails, forgets, or is written to by many: label, entry and check end at what the files are, and nobody else's word is lost.</summary>
[Parallelizable]
public sealed class TroubledApiTests
{
    [Test, CancelAfter(180_000)]
    public Task An_outage_of_six_seconds_within_a_withdrawal_is_made_up_for(CancellationToken token) => OutageAsync(TimeSpan.FromSeconds(6), mended: false, token);

    [TestCase(false), TestCase(true)]
    [Category("Campaign"), CancelAfter(300_000)]
    public Task An_outage_of_a_minute_within_a_withdrawal_is_made_up_for(bool mended, CancellationToken token) => OutageAsync(TimeSpan.FromSeconds(60), mended, token);

    [Test, CancelAfter(180_000)]
    public async Task Fifty_writers_of_the_nodes_ConfigMap_lose_nothing_and_hold_nothing_up(CancellationToken token)
    {
        const int Writers = 50, Rounds = 6;
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(cancellationToken: token);
        var (model, shard) = await ReadyAsync(node, token);
        using var begun = new CountdownEvent(Writers);

        var writers = Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteOwnKeyAsync(node, writer, Rounds, begun, token), token)).ToList();
        begun.Wait(token);
        File.Move(shard, shard + ".aside");
        await node.WaitForAsync(model, NodeModelState.Failed, token);
        File.Move(shard + ".aside", shard);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        var conflicts = (await Task.WhenAll(writers)).Sum();

        TestContext.Out.WriteLine($"{Writers * Rounds} writes of others met {conflicts} conflicts");
        var map = await node.Plane.Admin.CoreV1.ReadNamespacedConfigMapAsync(node.NodeName, node.Namespace, cancellationToken: token);
        for (var writer = 0; writer < Writers; writer++) map.Data[KeyOf(writer)].Should().Be(Rounds.ToString(CultureInfo.InvariantCulture), "the last word of writer {0} stands", writer);
        (await node.EntryAsync(model))!.Status.Should().Be("Ready");
        map.Metadata.Labels["models.ome/basemodel-status"].Should().Be("true");
    }

    [Test, CancelAfter(180_000)]
    public async Task What_happened_while_no_watch_held_is_caught_up_with(CancellationToken token)
    {
        await using var plane = await ControlPlanes.StartAsync(token);
        var faults = plane.RequireFaults();
        await using var node = await AgentFixture.CreateAsync(plane, token);
        await node.StartAsync(cancellationToken: token);
        var (model, _) = await ReadyAsync(node, token);
        var (gone, fresh, key) = ("gone-" + node.NodeName, "fresh-" + node.NodeName, ModelKey.Cluster(model));
        await node.ApplyClusterModelAsync(gone, "local://" + node.WriteModel("gone"), null, token);
        await node.WaitForAsync(gone, NodeModelState.Ready, token);

        using (faults.Add(new FaultRule { Verb = "watch", Code = 503 }))
        {
            faults.DropWatches();
            await node.DeleteClusterModelAsync(gone, token);
            await node.ApplyClusterModelAsync(fresh, "local://" + node.WriteModel("fresh"), null, token);
            await plane.Admin.CoreV1.PatchNodeAsync(new V1Patch(new { metadata = new { labels = new Dictionary<string, string?> { [key.LabelKey] = null } } }, V1Patch.PatchType.MergePatch), node.NodeName, cancellationToken: token);
            await plane.Admin.CoreV1.DeleteNamespacedConfigMapAsync(node.NodeName, node.Namespace, cancellationToken: token);
            // Where each watch stopped is forgotten: it is answered with 410 when it comes back.
            faults.TruncateHistory();
        }

        await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.WaitForAsync(fresh, NodeModelState.Ready, token);
        await node.WaitForAsync(gone, NodeModelState.Deleted, token);
        (await node.CheckAsync(gone)).Should().BeNull();
        (await plane.Admin.CoreV1.ReadNamespacedConfigMapAsync(node.NodeName, node.Namespace, cancellationToken: token)).Metadata.Labels["models.ome/basemodel-status"].Should().Be("true");
    }

    [Test, CancelAfter(180_000)]
    public async Task What_was_proven_in_an_earlier_run_is_proven_on_while_the_API_server_is_away_at_the_start(CancellationToken token)
    {
        await using var plane = await ControlPlanes.StartAsync(token);
        var faults = plane.RequireFaults();
        await using var node = await AgentFixture.CreateAsync(plane, token);
        await node.StartAsync(cancellationToken: token);
        var (model, shard) = await ReadyAsync(node, token);
        var (told, directory) = ("told-" + node.NodeName, node.WriteModel("told"));
        await node.ApplyClusterModelAsync(told, "local://" + directory, null, token, new() { [OmeNames.IntegrityOnDamageAnnotation] = nameof(DamageAction.ReportOnly) });
        await node.WaitForCheckAsync(told, static check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        await node.StopAsync();

        faults.BeginOutage();
        await node.StartAsync(cancellationToken: token);
        foreach (var name in new[] { model, told }) await UntilAsync(async () => await node.ChecksAsync(("name", name), ("result", "Valid")) > 0, token);
        File.Move(shard, shard + ".aside");
        File.Delete(Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First());
        foreach (var name in new[] { model, told }) await UntilAsync(async () => await node.ChecksAsync(("name", name), ("result", "Invalid")) > 0, token);
        var records = node.Services.GetRequiredService<ModelRecordStore>();
        await UntilAsync(() => Task.FromResult(records.Find(ModelKey.Cluster(model))!.Phase == ModelPhase.Withdrawn), token);
        faults.EndOutage();

        await node.WaitForAsync(model, NodeModelState.Failed, token);
        await node.WaitForCheckAsync(told, static check => check.Status.Result == "Invalid", token);
        (await node.LabelAsync(told)).Should().Be("Ready", "its author asked for a report only, and that is remembered");
        File.Move(shard + ".aside", shard);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
    }

    /// <summary>The label is written; before the entry is, the API server goes.</summary>
    private static async Task OutageAsync(TimeSpan length, bool mended, CancellationToken token)
    {
        await using var plane = await ControlPlanes.StartAsync(token);
        var faults = plane.RequireFaults();
        await using var node = await AgentFixture.CreateAsync(plane, token);
        await node.StartAsync(options => options.IntegrityInterval = TimeSpan.FromSeconds(1), token);
        var (model, shard) = await ReadyAsync(node, token);

        using (faults.Add(new FaultRule { Verb = "patch", Resource = "configmaps", CutConnection = true }))
        {
            File.Move(shard, shard + ".aside");
            while (await node.LabelAsync(model) != "Failed") await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, token);
            (await node.EntryAsync(model))!.Status.Should().Be("Ready", "its write is cut off");
            faults.BeginOutage();
        }

        var checks = await node.ChecksAsync();
        await Task.Delay(length, TimeProvider.System, token);
        if (mended) File.Move(shard + ".aside", shard);
        while (await node.ChecksAsync() < checks + 1) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
        faults.EndOutage();

        await node.WaitForAsync(model, mended ? NodeModelState.Ready : NodeModelState.Failed, token);
        var check = await node.WaitForCheckAsync(model, found => found.Status.Result == (mended ? "Valid" : "Invalid"), token);
        check.Status.Reason.Should().Be(mended ? null : "FileMissing");
        (await node.EntryAsync(model))!.Validation!.Result.Should().Be(check.Status.Result);
    }

    private static async Task<(string Model, string Shard)> ReadyAsync(AgentFixture node, CancellationToken token)
    {
        var directory = node.WriteModel("model");
        var model = "trouble-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "local://" + directory, null, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(model, check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        return (model, Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First());
    }

    /// <summary>Writes the whole ConfigMap as it read it, with its own key raised, as OME's writers do; gives how often another was faster.</summary>
    private static async Task<int> WriteOwnKeyAsync(AgentFixture node, int writer, int rounds, CountdownEvent begun, CancellationToken token)
    {
        var conflicts = 0;
        for (var round = 1; round <= rounds;)
        {
            var map = await node.Plane.Admin.CoreV1.ReadNamespacedConfigMapAsync(node.NodeName, node.Namespace, cancellationToken: token);
            map.Data[KeyOf(writer)] = round.ToString(CultureInfo.InvariantCulture);
            try
            {
                await node.Plane.Admin.CoreV1.ReplaceNamespacedConfigMapAsync(map, node.NodeName, node.Namespace, cancellationToken: token);
                if (round++ == 1) begun.Signal();
            }
            catch (HttpOperationException raced) when (raced.Response.StatusCode == HttpStatusCode.Conflict)
            {
                conflicts++;
            }
        }

        return conflicts;
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, CancellationToken token)
    {
        while (!await holds()) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
    }

    private static string KeyOf(int writer) => "writer-" + writer.ToString(CultureInfo.InvariantCulture);
}
