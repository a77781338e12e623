using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Models;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>Records of an agent that did not keep the annotations, met by this one while the API server is away: what is found waits for what they ask for.</summary>
public sealed class EarlierRecordTests
{
    [Test, CancelAfter(240_000)]
    public async Task Damage_is_found_at_once_and_acted_upon_as_the_annotations_say_once_they_are_known(CancellationToken token)
    {
        await using var plane = await ControlPlanes.StartAsync(token);
        var faults = plane.RequireFaults();
        await using var node = await AgentFixture.CreateAsync(plane, token);
        await node.StartAsync(cancellationToken: token);
        var plain = await ReadyAsync(node, "plain", null, token);
        var told = await ReadyAsync(node, "told", new() { [OmeNames.IntegrityOnDamageAnnotation] = nameof(DamageAction.ReportOnly) }, token);
        var off = await ReadyAsync(node, "off", new() { [OmeNames.IntegrityModeAnnotation] = nameof(IntegrityMode.Off) }, token);
        string[] all = [plain, told, off];
        await node.StopAsync();
        MakeEarlier(node.ModelsRoot);

        faults.BeginOutage();
        await node.StartAsync(cancellationToken: token);
        var records = node.Services.GetRequiredService<ModelRecordStore>();
        records.All.Should().HaveCount(3).And.OnlyContain(static record => record.Integrity == null && record.Phase == ModelPhase.Ready);
        foreach (var name in all) await UntilAsync(async () => await node.ChecksAsync(("name", name), ("result", "Valid")) > 0, token);
        foreach (var name in all) File.Delete(Directory.GetFiles(Path.Combine(node.ModelsRoot, name), "*.safetensors").Order(StringComparer.Ordinal).First());
        foreach (var name in all) await UntilAsync(async () => await node.ChecksAsync(("name", name), ("result", "Invalid")) > 0, token);
        records.All.Should().OnlyContain(static record => record.Phase == ModelPhase.Ready && record.Validation!.Result != ValidationResults.Invalid, "whether it follows is not known yet");

        await using var labels = new LabelHistory(plane.Admin, node.NodeName, told);
        faults.EndOutage();

        await node.WaitForAsync(plain, NodeModelState.Failed, token);
        (await node.WaitForCheckAsync(told, static check => check.Status.Result == ValidationResults.Invalid, token)).Spec.OnDamage.Should().Be(nameof(DamageAction.ReportOnly));
        await UntilAsync(async () => (await node.EventsAsync(told)).Any(static one => one.Reason == "ArtifactDamaged"), token);
        (await labels.TakeUntilAsync("Ready", token)).Should().Equal("Ready");
        await UntilAsync(() => Task.FromResult(records.Find(ModelKey.Cluster(off))!.Integrity is not null), token);
        (await node.EntryAsync(off))!.Should().Match<NodeModelEntry>(static entry => entry.State == NodeModelState.Ready && entry.Validation!.Result != ValidationResults.Invalid, "its author asked for no checks");
        (await node.LabelAsync(off)).Should().Be("Ready");
    }

    [Test, CancelAfter(240_000)]
    public async Task What_is_intact_stays_as_it_was_reported(CancellationToken token)
    {
        await using var plane = await ControlPlanes.StartAsync(token);
        var faults = plane.RequireFaults();
        await using var node = await AgentFixture.CreateAsync(plane, token);
        await node.StartAsync(cancellationToken: token);
        var model = await ReadyAsync(node, "intact", new() { [OmeNames.IntegrityOnDamageAnnotation] = nameof(DamageAction.ReportOnly) }, token);
        await node.StopAsync();
        MakeEarlier(node.ModelsRoot);
        var before = (await node.CheckAsync(model))!;

        faults.BeginOutage();
        await node.StartAsync(cancellationToken: token);
        await UntilAsync(async () => await node.ChecksAsync(("name", model), ("result", "Valid")) > 0, token);
        faults.EndOutage();
        await UntilAsync(() => Task.FromResult(node.Services.GetRequiredService<ModelRecordStore>().Find(ModelKey.Cluster(model))!.Integrity is { OnDamage: nameof(DamageAction.ReportOnly) }), token);

        var after = (await node.CheckAsync(model))!;
        after.Metadata.Generation.Should().Be(before.Metadata.Generation, "what is not known is not written into its spec");
        after.Status.Result.Should().Be(ValidationResults.Valid);
        (await node.LabelAsync(model)).Should().Be("Ready");
    }

    private static async Task<string> ReadyAsync(AgentFixture node, string name, Dictionary<string, string>? annotations, CancellationToken token)
    {
        await node.ApplyClusterModelAsync(name, "local://" + node.WriteModel(name), null, token, annotations);
        await node.WaitForAsync(name, NodeModelState.Ready, token);
        // Its files are hashed whatever its mode.
        var manifests = node.Services.GetRequiredService<ManifestStore>();
        await UntilAsync(async () => await manifests.LoadAsync(ModelKey.Cluster(name), token) is { } known && known.Entries.All(static entry => entry.HasContentDigest), token);
        if (annotations?.ContainsKey(OmeNames.IntegrityModeAnnotation) != true) await node.WaitForCheckAsync(name, static check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        return name;
    }

    /// <summary>Takes the annotations out of all records, as they were written before agents kept them.</summary>
    private static void MakeEarlier(string root)
    {
        foreach (var path in Directory.GetFiles(root, "record.json", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }))
        {
            var record = JsonNode.Parse(File.ReadAllLines(path)[1])!.AsObject();
            record.Remove("integrity").Should().BeTrue();
            var json = record.ToJsonString();
            File.WriteAllText(path, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(json))) + "\n" + json);
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, CancellationToken token)
    {
        while (!await holds()) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
    }
}
