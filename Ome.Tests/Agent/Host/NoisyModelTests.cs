using System.Diagnostics;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>Somebody writes a log among the files of a model: the agent neither looks all the time nor grows blind.</summary>
public sealed class NoisyModelTests
{
    [Test]
    [CancelAfter(180_000)]
    public async Task A_file_that_is_written_all_the_time_costs_a_look_a_second_and_hides_no_damage(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var directory = node.WriteModel("noisy");
        await node.StartAsync(cancellationToken: token);
        var model = "noisy-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "local://" + directory, null, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(model, static check => check.Status.Trust == "local" && check.Status.OldestProofTime is not null, token);

        var before = await node.ChecksAsync(("name", model), ("mode", "Basic"));
        var writing = Stopwatch.StartNew();
        await using (var log = File.AppendText(Path.Combine(directory, "engine.log")))
        {
            while (writing.Elapsed < TimeSpan.FromSeconds(3))
            {
                await log.WriteLineAsync("token");
                await log.FlushAsync(token);
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, token);
            }

            var looks = await node.ChecksAsync(("name", model), ("mode", "Basic")) - before;
            TestContext.Out.WriteLine($"{looks:F0} looks in {writing.Elapsed.TotalSeconds:F1} s");
            looks.Should().BeInRange(1, 4 + writing.Elapsed.TotalSeconds);
        }

        File.Delete(Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First());
        var took = await node.WaitForAsync(model, NodeModelState.Failed, token);
        TestContext.Out.WriteLine($"withdrawn {took.TotalMilliseconds:F0} ms after unlink");
    }
}
