using k8s;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Api;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>Two nodes read one shared directory, and somebody damages it: both find out at the same moment, and the failure budget lets one of them go.</summary>
[Parallelizable]
public sealed class WithdrawalBudgetTests
{
    [Test]
    [CancelAfter(180_000)]
    public async Task Of_two_nodes_that_see_damage_at_once_one_is_withdrawn_and_one_is_held_until_all_is_well(CancellationToken token)
    {
        using var shared = new TempDirectory();
        var directory = shared["model"];
        ModelTree.Write(directory);
        await using var first = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await using var second = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var model = await ReadyOnBothAsync(first, second, directory, TimeSpan.FromHours(1), token);

        var shard = Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First();
        File.Move(shard, shard + ".aside");
        var held = await HeldAsync(model, first, second, token);
        var gone = held == first ? second : first;
        await gone.WaitForAsync(model, NodeModelState.Failed, token);

        (await held.LabelAsync(model)).Should().Be("Ready");
        (await held.EntryAsync(model))!.Validation!.Result.Should().Be("Invalid");
        (await held.CheckAsync(model))!.Status.Conditions.Should().ContainSingle(condition => condition.Type == "Withdrawn").Which.Reason.Should().Be("WithdrawalHeld");
        await EventAsync(held, model, "WithdrawalHeld", token);

        File.Move(shard + ".aside", shard);
        await gone.WaitForAsync(model, NodeModelState.Ready, token);
        await held.WaitForCheckAsync(model, static check => check.Status is { Result: "Valid" } && Reason(check) == "Advertised", token);
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task A_held_withdrawal_goes_through_when_the_window_has_passed(CancellationToken token)
    {
        using var shared = new TempDirectory();
        var directory = shared["model"];
        ModelTree.Write(directory);
        await using var first = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await using var second = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var model = await ReadyOnBothAsync(first, second, directory, TimeSpan.FromSeconds(5), token);

        File.Delete(Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First());

        await HeldAsync(model, first, second, token);
        await first.WaitForAsync(model, NodeModelState.Failed, token);
        await second.WaitForAsync(model, NodeModelState.Failed, token);
    }

    private static async Task<string> ReadyOnBothAsync(AgentFixture first, AgentFixture second, string directory, TimeSpan window, CancellationToken cancellationToken)
    {
        var model = "shared-" + first.NodeName;
        foreach (var node in new[] { first, second })
        {
            await node.StartAsync(options => (options.LocalRoots, options.MaxWithdrawals, options.MaxWithdrawalsWindow) = ([Path.GetDirectoryName(directory)!], "1", window), cancellationToken);
        }

        await first.ApplyClusterModelAsync(model, "local://" + directory, null, cancellationToken, alsoOn: second.NodeName);
        foreach (var node in new[] { first, second })
        {
            await node.WaitForAsync(model, NodeModelState.Ready, cancellationToken);
            await node.WaitForCheckAsync(model, static check => check.Status is { Result: "Valid", OldestProofTime: not null }, cancellationToken);
        }

        return model;
    }

    /// <summary>Waits until one of the nodes says that its withdrawal is held while the other's went through.</summary>
    private static async Task<AgentFixture> HeldAsync(string model, AgentFixture first, AgentFixture second, CancellationToken cancellationToken)
    {
        while (true)
        {
            foreach (var (held, gone) in new[] { (first, second), (second, first) })
            {
                if (Reason(await held.CheckAsync(model)) == "WithdrawalHeld" && await gone.LabelAsync(model) == "Failed") return held;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        }
    }

    private static string? Reason(ModelIntegrityCheck? check) => check?.Status.Conditions?.Find(static condition => condition.Type == "Withdrawn")?.Reason;

    private static async Task EventAsync(AgentFixture node, string model, string reason, CancellationToken cancellationToken)
    {
        while (true)
        {
            var events = await node.Plane.Admin.CoreV1.ListEventForAllNamespacesAsync(fieldSelector: "involvedObject.name=" + model, cancellationToken: cancellationToken);
            if (events.Items.Any(found => found.Reason == reason)) return;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }
}
