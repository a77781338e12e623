using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>The thinnest path: a model that lies on the node, damaged and mended.</summary>
public sealed class LocalModelTests
{
    [Test]
    [CancelAfter(60_000)]
    public async Task A_local_model_is_ready_is_withdrawn_when_a_file_goes_and_readmitted_when_it_is_back(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var directory = node.WriteModel("circle");
        await node.StartAsync(cancellationToken: token);
        var model = "circle-" + node.NodeName;

        await node.ApplyClusterModelAsync(model, "local://" + directory, null, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(model, check => check.Status.Trust == "local" && check.Status.OldestProofTime is not null, token);
        var shard = Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First();
        File.Move(shard, node.ModelsRoot + "/aside");
        var took = await node.WaitForAsync(model, NodeModelState.Failed, token);
        TestContext.Out.WriteLine($"withdrawn {took.TotalMilliseconds:F0} ms after unlink");

        var entry = await node.EntryAsync(model);
        entry!.Validation!.Result.Should().Be("Invalid");
        entry.Validation.Reason.Should().Be("FileMissing");
        entry.Validation.Message.Should().Contain(Path.GetFileName(shard));
        // The check is written after label and ConfigMap.
        var check = await node.WaitForCheckAsync(model, found => found.Status.Result == "Invalid", token);
        check.Status.Findings.Should().ContainSingle().Which.Path.Should().Be(Path.GetFileName(shard));

        File.Move(node.ModelsRoot + "/aside", shard);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        (await node.EntryAsync(model))!.Validation!.Result.Should().Be("Valid");
    }
}
