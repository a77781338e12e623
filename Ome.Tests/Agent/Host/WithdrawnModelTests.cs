using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Models;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>A model that is withdrawn, for however long.</summary>
[Parallelizable]
public sealed class WithdrawnModelTests
{
    private const string BytesChecked = "model_agent_ready_artifact_bytes_checked_total";

    [Test]
    [CancelAfter(180_000)]
    public async Task While_a_file_is_missing_the_others_are_not_read_again_and_again(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var (model, directory) = await ReadyAsync(node, token);
        var shard = Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First();
        File.Move(shard, shard + ".aside");
        await node.WaitForAsync(model, NodeModelState.Failed, token);
        // One check that reads on, so that all that is bad is named.
        await UntilAttemptsAsync(node, model, 1, token);
        var before = (await node.MetricsAsync()).Value(BytesChecked);

        await UntilAttemptsAsync(node, model, 2, token);

        (await node.MetricsAsync()).Value(BytesChecked).Should().Be(before, "what is known to be missing needs no reading to be missing still");
        File.Move(shard + ".aside", shard);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        (await node.MetricsAsync()).Value(BytesChecked).Should().BeGreaterThan(before, "readmission takes a full check");
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task A_state_directory_that_takes_no_notes_keeps_no_damaged_model_ready(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var (model, directory) = await ReadyAsync(node, token);
        var state = node.Services.GetRequiredService<ModelRecordStore>().DirectoryOf(ModelKey.Cluster(model));
        // A write goes to a file beside its place first; where a directory has that name it fails as on a full disk, for root too.
        foreach (var file in Directory.GetFiles(state).Where(static file => !file.EndsWith(".new", StringComparison.Ordinal))) await BlockAsync(file + ".new", token);

        var shard = Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First();
        File.Move(shard, shard + ".aside");
        await node.WaitForAsync(model, NodeModelState.Failed, token);

        foreach (var file in Directory.GetDirectories(state, "*.new")) Directory.Delete(file);
        File.Move(shard + ".aside", shard);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
    }

    // The agent may be writing there just now.
    private static async Task BlockAsync(string path, CancellationToken token)
    {
        while (!Directory.Exists(path))
        {
            try
            {
                Directory.CreateDirectory(path);
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, token);
            }
        }
    }

    private static async Task UntilAttemptsAsync(AgentFixture node, string model, int attempts, CancellationToken token)
    {
        var records = node.Services.GetRequiredService<ModelRecordStore>();
        while (records.Find(ModelKey.Cluster(model))!.ReadmissionAttempts < attempts) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, token);
    }

    private static async Task<(string Model, string Directory)> ReadyAsync(AgentFixture node, CancellationToken token)
    {
        var directory = node.WriteModel("model");
        await node.StartAsync(cancellationToken: token);
        var model = "model-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "local://" + directory, null, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(model, static check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        return (model, directory);
    }
}
