using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Hosting;
using Ome.Agent.Integrity;
using Ome.Agent.Models;
using Ome.Agent.Verification.Reading;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>A pass over all content takes minutes to hours; a file that goes meanwhile does not wait for its end.</summary>
[Parallelizable]
public sealed class LongPassTests
{
    private const int ModelBytes = 40_000_000;

    [Test]
    [CancelAfter(90_000)]
    public async Task A_file_that_goes_during_a_full_pass_is_withdrawn_at_once(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var (model, directory) = await InFullPassAsync(node, static _ => { }, token);

        File.Delete(Path.Combine(directory, "config.json"));

        var took = await node.WaitForAsync(model, NodeModelState.Failed, token);
        TestContext.Out.WriteLine($"withdrawn {took.TotalMilliseconds:F0} ms after unlink, in the middle of a pass");
        (await node.EntryAsync(model))!.Validation!.Reason.Should().Be("FileMissing");
    }

    [Test]
    [CancelAfter(90_000)]
    public async Task Where_no_event_tells_it_is_withdrawn_within_an_interval(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var (model, directory) = await InFullPassAsync(node, static options => (options.Watch, options.IntegrityInterval) = (false, TimeSpan.FromSeconds(3)), token);

        File.Delete(Path.Combine(directory, "config.json"));

        await node.WaitForAsync(model, NodeModelState.Failed, token);
        (await node.EntryAsync(model))!.Validation!.Reason.Should().Be("FileMissing");
    }

    [Test]
    [CancelAfter(90_000)]
    public async Task A_model_that_is_deleted_during_a_full_pass_goes_at_once(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var (model, _) = await InFullPassAsync(node, static _ => { }, token);

        await node.DeleteClusterModelAsync(model, token);

        await node.WaitForAsync(model, NodeModelState.Deleted, token);
    }

    [Test]
    [CancelAfter(90_000)]
    public async Task Another_model_is_checked_meanwhile(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await InFullPassAsync(node, static options => (options.Watch, options.IntegrityInterval) = (false, TimeSpan.FromSeconds(3)), token);
        var directory = node.WriteModel("other");
        var other = "other-" + node.NodeName;
        await node.ApplyClusterModelAsync(other, "local://" + directory, null, token);
        await node.WaitForAsync(other, NodeModelState.Ready, token);

        File.Delete(Path.Combine(directory, "config.json"));

        await node.WaitForAsync(other, NodeModelState.Failed, token);
    }

    /// <summary>A Ready and proven model in the middle of a full pass that takes 80 s more, which is longer than a test here waits.</summary>
    private static async Task<(string Model, string Directory)> InFullPassAsync(AgentFixture node, Action<AgentOptions> change, CancellationToken token)
    {
        var directory = Path.Combine(node.ModelsRoot, "long");
        ModelTree.Write(directory, new ModelTreeOptions(TotalBytes: ModelBytes));
        await node.StartAsync(change, cancellationToken: token);
        var model = "long-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "local://" + directory, null, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(model, check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        node.Services.GetRequiredService<IoBudget>().BytesPerSecond = ModelBytes / 80;
        await UntilInFullPassAsync(node, model, directory, token);
        return (model, directory);
    }

    private static async Task UntilInFullPassAsync(AgentFixture node, string model, string directory, CancellationToken token)
    {
        var (checks, manifests) = (node.Services.GetRequiredService<RunningChecks>(), node.Services.GetRequiredService<ManifestStore>());
        var key = ModelKey.Cluster(model);
        bool InPass() => checks.IsRunning(key)
            && manifests.Open(key, new SourceIdentity("local://" + directory, directory, null)).State?.Ledger.FullPassSince is not null;
        // Asked for in the very second of the first proof, a pass finds everything proven: then it is asked for again.
        for (var request = 0; !InPass(); request++)
        {
            node.Services.GetRequiredService<IntegrityService>().Request(key, new FullCheckRequest($"request {request}", null));
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, token);
        }
    }
}
