using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>An agent that may repair makes a damaged model whole by itself, and a full check readmits it.</summary>
public sealed class RepairedModelTests
{
    [TestCase("tokenizer_config.json")]
    [TestCase("model-00001-of-00002.safetensors")]
    [CancelAfter(180_000)]
    public async Task A_damaged_file_is_whole_again_and_the_model_ready(string path, CancellationToken token)
    {
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.AddDirectory("demo/tiny", tree.Path);
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(
            options =>
            {
                options.HubEndpoint = hub.Endpoint;
                options.OnDamage = DamageAction.WithdrawAndRepair;
            },
            token);
        var model = "repair-" + node.NodeName;
        var directory = Path.Combine(node.ModelsRoot, "tiny");
        await node.ApplyClusterModelAsync(model, "hf://demo/tiny", directory, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(model, check => check.Status.Result == "Valid", token);
        var good = TestFiles.Bytes(directory, path);

        await using (var file = File.Open(Path.Combine(directory, path), FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = good.Length - 1;
            file.WriteByte((byte)(good[^1] ^ 0x40));
        }

        while (!TestFiles.Bytes(directory, path).AsSpan().SequenceEqual(good)) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);

        var files = TestFiles.Tree(directory);
        files.Should().BeEquivalentTo(TestFiles.Tree(tree.Path));
        hub.LeakedAuthorizations.Should().BeEmpty();
    }
}
