using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Publishing;
using Ome.LocalCluster.Faults;
using Ome.Shared.Api;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Agent.Host;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Publishing;

/// <summary>Ready is never shown of a model whose withdrawal is known already.</summary>
[Parallelizable]
public sealed class SupersededAdmissionTests
{
    [Test]
    [CancelAfter(180_000)]
    public async Task A_model_that_is_withdrawn_while_the_checks_of_others_are_written_is_not_admitted_first(CancellationToken token)
    {
        await using var plane = await ControlPlanes.StartAsync(token);
        var faults = plane.RequireFaults();
        await using var node = await AgentFixture.CreateAsync(plane, token);
        await node.StartAsync(cancellationToken: token);
        var publisher = node.Services.GetRequiredService<ReportPublisher>();
        var (first, withdrawn, slow) = (ModelKey.Cluster("first"), ModelKey.Cluster("withdrawn"), ModelKey.Cluster("slow"));
        await using var labels = new LabelHistory(plane.Admin, node.NodeName, withdrawn.Name);
        await labels.TakeUntilAsync(null, token);

        // The first one holds the publisher up until both others wait; the last one until the withdrawal is known.
        using var holding = faults.Add(Slowly(first));
        using var writing = faults.Add(Slowly(slow));
        var done = publisher.PublishAsync(Of(first, NodeModelState.Ready));
        while (holding.Hits == 0) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, token);
        var admission = publisher.PublishAsync(Of(withdrawn, NodeModelState.Ready));
        var other = publisher.PublishAsync(Of(slow, NodeModelState.Ready));
        while (writing.Hits == 0) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, token);
        var withdrawal = publisher.PublishAsync(Of(withdrawn, NodeModelState.Failed));

        await Task.WhenAll(done, admission, other, withdrawal).WaitAsync(token);
        (await labels.TakeUntilAsync("Failed", token)).Should().Equal(null, "Failed");
        (await node.LabelAsync("slow")).Should().Be("Ready");

        FaultRule Slowly(ModelKey key) => new() { Verb = "delete", Resource = ModelIntegrityCheck.Plural, Name = key.CheckName(node.NodeName), Times = 1, Latency = TimeSpan.FromSeconds(2) };

        Publication Of(ModelKey key, NodeModelState state) => new() { Key = key, Uid = "", State = state, CheckName = key.CheckName(node.NodeName) };
    }
}
