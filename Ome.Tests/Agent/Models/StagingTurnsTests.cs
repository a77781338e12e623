using Ome.Agent.Models;
using Ome.Shared.Domain.Models;

namespace Ome.Tests.Agent.Models;

[CancelAfter(120_000)]
public sealed class StagingTurnsTests
{
    private readonly Dictionary<ModelKey, int> _priorities = [];

    [Test]
    public async Task As_many_run_as_may_and_the_next_one_when_one_ends(CancellationToken token)
    {
        var turns = NewTurns(2);
        var first = await turns.TakeAsync(Key("a"), token);
        using var second = await turns.TakeAsync(Key("b"), token);
        var third = turns.TakeAsync(Key("c"), token);
        (turns.Running, turns.Waiting, third.IsCompleted).Should().Be((2, 1, false));

        first.Dispose();
        first.Dispose();
        using var taken = await third;

        (turns.Running, turns.Waiting).Should().Be((2, 0));
    }

    [Test]
    public async Task The_most_urgent_goes_first_then_who_waits_longest_and_a_change_counts_while_waiting(CancellationToken token)
    {
        var turns = NewTurns(1);
        var running = await turns.TakeAsync(Key("running"), token);
        var order = new List<string>();
        var waiting = new[] { "low-1", "late", "high", "low-2" }.Select(name => RunAsync(turns, name, order, token)).ToList();
        _priorities[Key("high")] = 10;
        _priorities[Key("late")] = 20;

        running.Dispose();
        await Task.WhenAll(waiting);

        order.Should().Equal("late", "high", "low-1", "low-2");
    }

    [Test]
    public async Task Who_is_no_longer_wanted_leaves_the_queue_and_takes_no_turn(CancellationToken token)
    {
        var turns = NewTurns(1);
        var running = await turns.TakeAsync(Key("running"), token);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        var dropped = turns.TakeAsync(Key("dropped"), stop.Token);
        var kept = turns.TakeAsync(Key("kept"), token);

        await stop.CancelAsync();
        await FluentActions.Awaiting(() => dropped).Should().ThrowAsync<OperationCanceledException>();
        running.Dispose();
        using var taken = await kept;

        (turns.Running, turns.Waiting).Should().Be((1, 0));
    }

    private StagingTurns NewTurns(int most) => new(most, key => _priorities.GetValueOrDefault(key));

    private static async Task RunAsync(StagingTurns turns, string name, List<string> order, CancellationToken cancellationToken)
    {
        using var turn = await turns.TakeAsync(Key(name), cancellationToken);
        lock (order) order.Add(name);
    }

    private static ModelKey Key(string name) => ModelKey.Cluster(name);
}
