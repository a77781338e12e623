using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>The thinnest path: a model that lies on the node, damaged and mended.</summary>
public sealed class LocalModelTests
{
    [Test]
    [CancelAfter(180_000)]
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
        // One that was under way when the file went also says that it changed meanwhile.
        check.Status.Findings.Should().NotBeEmpty().And.OnlyContain(finding => finding.Path == Path.GetFileName(shard));

        File.Move(node.ModelsRoot + "/aside", shard);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        (await node.EntryAsync(model))!.Validation!.Result.Should().Be("Valid");
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task What_was_wrong_with_a_local_model_when_it_came_is_never_counted_as_damage(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var directory = node.WriteModel("odd");
        await File.WriteAllTextAsync(
            directory + "/extra.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n", token);
        await File.WriteAllTextAsync(directory + "/special_tokens_map.json", "{ no JSON", token);
        await File.WriteAllBytesAsync(directory + "/tail.bin", new byte[2_000_000], token);
        File.Delete(Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First(file => file.Contains("-of-", StringComparison.Ordinal)));
        // Long there, and not half of a copy.
        foreach (var file in Directory.GetFiles(directory)) File.SetLastWriteTimeUtc(file, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        await node.StartAsync(options => options.IntegrityInterval = TimeSpan.FromSeconds(1), token);
        var model = "odd-" + node.NodeName;

        await node.ApplyClusterModelAsync(model, "local://" + directory, null, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        var check = await node.WaitForCheckAsync(model, found => found.Status is { Result: "Valid", OldestProofTime: not null } or { Result: "Invalid" }, token);

        check.Status.Result.Should().Be("Valid");
        (await node.EventsAsync(model)).Should().NotContain(one => one.Reason == "NodeWithdrawn");
        (await node.LabelAsync(model)).Should().Be("Ready");
    }

    [Test]
    [CancelAfter(120_000)]
    public async Task A_file_that_is_touched_before_it_was_hashed_is_hashed_as_it_is_then(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var directory = node.WriteModel("touched");
        var model = "touched-" + node.NodeName;
        // Not a file is read in the time this test has.
        await node.StartAsync(options => options.IntegrityBytesPerSecond = 1, token);
        await node.ApplyClusterModelAsync(model, "local://" + directory, null, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(model, check => check.Status.Result == "Valid", token);
        await node.StopAsync();
        File.SetLastWriteTimeUtc(directory + "/config.json", new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        await node.StartAsync(cancellationToken: token);

        await node.WaitForCheckAsync(model, check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        (await node.LabelAsync(model)).Should().Be("Ready");
    }
}
