using Ome.Agent.Models;
using Ome.Shared.Domain.Models;

namespace Ome.Tests.Agent.Models;

/// <summary>One operation per model at a time, and nothing kept of models that went.</summary>
public sealed class ModelGatesTests
{
    private static readonly ModelKey Model = ModelKey.Cluster("model");

    [Test, CancelAfter(30_000)]
    public async Task A_gate_lets_one_in_at_a_time_and_is_not_kept_when_nobody_wants_it(CancellationToken token)
    {
        var gates = new ModelGates();
        var first = await gates.EnterAsync(Model, token);
        var second = gates.EnterAsync(Model, token);
        using var other = await gates.EnterAsync(ModelKey.Cluster("other"), token);
        second.IsCompleted.Should().BeFalse();
        gates.Count.Should().Be(2);

        first.Dispose();
        first.Dispose();
        (await second).Dispose();

        gates.Count.Should().Be(1);
        (await gates.EnterAsync(Model, token)).Dispose();
        gates.Count.Should().Be(1);
    }

    [Test, CancelAfter(30_000)]
    public async Task Who_gives_up_waiting_leaves_the_gate_to_who_holds_it(CancellationToken token)
    {
        var gates = new ModelGates();
        using var hurry = new CancellationTokenSource();
        var held = await gates.EnterAsync(Model, token);
        var waiting = gates.EnterAsync(Model, hurry.Token);
        await hurry.CancelAsync();

        await FluentActions.Awaiting(() => waiting).Should().ThrowAsync<OperationCanceledException>();
        gates.Count.Should().Be(1);
        held.Dispose();
        gates.Count.Should().Be(0);
    }
}
