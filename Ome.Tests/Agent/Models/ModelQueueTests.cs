using Microsoft.Extensions.Time.Testing;
using Ome.Agent.Models;
using Ome.Shared.Domain.Models;

namespace Ome.Tests.Agent.Models;

public sealed class ModelQueueTests
{
    private static readonly ModelKey A = ModelKey.Cluster("a");
    private static readonly ModelKey B = ModelKey.Cluster("b");

    [Test]
    [CancelAfter(120_000)]
    public async Task A_key_touched_while_it_runs_comes_back_once_and_never_runs_twice_at_a_time(CancellationToken token)
    {
        var queue = new ModelQueue(TimeProvider.System);
        var (runs, inside, most) = (0, 0, 0);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        var secondDone = new TaskCompletionSource();
        queue.Add(A);
        await queue.RunAsync(
            async (_, _) =>
            {
                most = Math.Max(most, Interlocked.Increment(ref inside));
                if (++runs == 1)
                {
                    for (var i = 0; i < 5; i++) queue.Add(A);
                    await Task.Yield();
                }
                else
                {
                    await stop.CancelAsync();
                }

                Interlocked.Decrement(ref inside);
                return null;
            },
            (_, _) => { },
            stop.Token);

        (runs, most, queue.Waiting).Should().Be((2, 1, 0));
    }

    [Test]
    [CancelAfter(120_000)]
    public async Task A_slow_key_does_not_hold_up_another(CancellationToken token)
    {
        var queue = new ModelQueue(TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        var release = new TaskCompletionSource();
        var order = new List<ModelKey>();
        queue.Add(A);
        queue.Add(B);

        await queue.RunAsync(
            async (key, _) =>
            {
                if (key == A) await release.Task;
                lock (order) order.Add(key);
                if (key == B) release.SetResult();
                else await stop.CancelAsync();
                return null;
            },
            (_, _) => { },
            stop.Token);

        order.Should().Equal(B, A);
    }

    [Test]
    [CancelAfter(120_000)]
    public async Task A_failing_key_comes_back_after_a_growing_pause(CancellationToken token)
    {
        var time = new FakeTimeProvider();
        var queue = new ModelQueue(time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        var start = time.GetUtcNow();
        var at = new List<double>();
        queue.Add(A);
        var running = queue.RunAsync(
            async (_, _) =>
            {
                lock (at) at.Add((time.GetUtcNow() - start).TotalSeconds);
                if (at.Count == 4) await stop.CancelAsync();
                throw new IOException("no");
            },
            (_, error) => error.Should().BeOfType<IOException>(),
            stop.Token);

        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        await running;
        at[1].Should().BeGreaterThanOrEqualTo(1);
        (at[2] - at[1]).Should().BeGreaterThanOrEqualTo(2);
        (at[3] - at[2]).Should().BeGreaterThanOrEqualTo(4);
    }

    [Test]
    [CancelAfter(120_000)]
    public async Task The_earlier_of_two_times_wins(CancellationToken token)
    {
        var time = new FakeTimeProvider();
        var queue = new ModelQueue(time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
        queue.Add(A, TimeSpan.FromHours(1));
        queue.Add(A, TimeSpan.FromSeconds(1));
        queue.Add(A, TimeSpan.FromHours(2));
        queue.Waiting.Should().Be(1);
        var running = queue.RunAsync(async (_, _) => { await stop.CancelAsync(); return null; }, (_, _) => { }, stop.Token);
        time.Advance(TimeSpan.FromSeconds(1));

        await running;
        queue.Waiting.Should().Be(0);
    }
}
