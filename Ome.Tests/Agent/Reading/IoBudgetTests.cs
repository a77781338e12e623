using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Ome.Agent.Verification.Reading;

namespace Ome.Tests.Agent.Reading;

/// <summary>The promise of the byte budget, on a clock that the test advances.</summary>
public sealed class IoBudgetLaws
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    [Test]
    public void Over_any_minute_at_most_five_percent_more_than_the_rate_is_granted_and_hardly_less() =>
        Gen.Select(Gen.Long[1_000_000, 2_000_000_000], Gen.Int[1, 2 * 1024 * 1024].Array[1, 20]).Sample(
            (rate, sizes) =>
            {
                var grants = Run(rate, sizes, TimeSpan.FromSeconds(130));
                var perStep = new long[(int)(TimeSpan.FromSeconds(130) / Step) + 1];
                foreach (var (at, bytes) in grants) perStep[(int)(at / Step)] += bytes;
                var window = (int)(TimeSpan.FromSeconds(60) / Step);
                var sum = perStep.Take(window).Sum();
                for (var end = window; end < perStep.Length - 1; end++)
                {
                    if (sum > rate * 60 * 1.05) return false;
                    if (sum < (rate * 60 * 0.98) - sizes.Max() - sizes.Min()) return false;
                    sum += perStep[end] - perStep[end - window];
                }

                return true;
            },
            iter: 20, threads: 1);

    /// <summary>One taker that always wants more, the clock advanced whenever it waits.</summary>
    private static List<(TimeSpan At, long Bytes)> Run(long rate, int[] sizes, TimeSpan length)
    {
        // Small requests at a high rate would be many; what is asked at once never changes the law.
        var scale = (int)Math.Max(1, rate / 40_000_000);
        var time = new FakeTimeProvider();
        using var budget = new IoBudget(rate, time);
        using var stop = new CancellationTokenSource();
        var start = time.GetUtcNow();
        var grants = new List<(TimeSpan, long)>();
        var taker = new Thread(() =>
        {
            for (var i = 0; ; i++)
            {
                var bytes = Math.Max(4096L, sizes[i % sizes.Length]) * scale;
                if (!budget.Take(bytes, stop.Token)) return;
                grants.Add((time.GetUtcNow() - start, bytes));
            }
        });
        taker.Start();
        while (time.GetUtcNow() - start < length)
        {
            SpinWait.SpinUntil(() => budget.Backlog > 0);
            time.Advance(Step);
        }

        stop.Cancel();
        taker.Join();
        return grants;
    }
}

public sealed class IoBudgetTests
{
    private readonly FakeTimeProvider _time = new();

    [Test]
    public void Zero_means_no_limit()
    {
        using var budget = new IoBudget(0, _time);

        for (var i = 0; i < 1000; i++) budget.Take(1L << 40, CancellationToken.None).Should().BeTrue();
    }

    [Test]
    public void An_idle_bucket_holds_a_quarter_second_and_no_more()
    {
        using var budget = new IoBudget(1000, _time);
        using var cancelled = new CancellationTokenSource();
        _time.Advance(TimeSpan.FromHours(5));

        budget.Take(250, CancellationToken.None).Should().BeTrue();

        cancelled.Cancel();
        budget.Take(1, cancelled.Token).Should().BeFalse();
    }

    [Test, CancelAfter(120_000)]
    public void The_rest_of_a_byte_is_not_waited_for(CancellationToken token)
    {
        // The burst is three quarters of a byte; the clock stands still.
        using var budget = new IoBudget(3, _time);

        budget.Take(1, token).Should().BeTrue();
    }

    [Test, CancelAfter(120_000)]
    public async Task Cancelling_wakes_a_waiter_and_costs_the_next_one_nothing(CancellationToken token)
    {
        using var budget = new IoBudget(1000, _time);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(token);
        var waiter = Task.Factory.StartNew(() => budget.Take(1_000_000, cancel.Token), token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        SpinWait.SpinUntil(() => budget.Backlog > 0);

        await cancel.CancelAsync();

        (await waiter).Should().BeFalse();
        budget.Take(250, token).Should().BeTrue("the unused ticket was handed back");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_changed_rate_reaches_those_who_wait(CancellationToken token)
    {
        using var budget = new IoBudget(1, _time);
        var waiter = Task.Factory.StartNew(() => budget.Take(1_000_000, token), token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        SpinWait.SpinUntil(() => budget.Backlog > 0);

        budget.BytesPerSecond = 1_000_000;
        SpinWait.SpinUntil(() => budget.Backlog > 0);
        waiter.IsCompleted.Should().BeFalse("three quarters of a second are still due");
        _time.Advance(TimeSpan.FromMilliseconds(760));

        (await waiter).Should().BeTrue();
    }

    [Test, CancelAfter(120_000)]
    public async Task Lifting_the_limit_lets_everyone_go(CancellationToken token)
    {
        using var budget = new IoBudget(1, _time);
        var waiters = Enumerable.Range(0, 4)
            .Select(_ => Task.Factory.StartNew(() => budget.Take(1_000_000, token), token, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToList();
        SpinWait.SpinUntil(() => budget.Backlog >= 3_999_999);

        budget.BytesPerSecond = 0;

        (await Task.WhenAll(waiters)).Should().AllBeEquivalentTo(true);
    }

    [Test]
    public void A_negative_rate_is_refused() =>
        FluentActions.Invoking(() => new IoBudget(-1, _time)).Should().Throw<ArgumentOutOfRangeException>();

    /// <summary>The same promise against the real clock and a real file.</summary>
    [Test, Category("Campaign"), CancelAfter(120_000)]
    public async Task A_real_minute_at_100_megabytes_a_second_stays_within_five_percent(CancellationToken token)
    {
        using var directory = new Support.TempDirectory();
        await using (var file = File.Create(directory["sparse"])) file.SetLength(8L << 30);
        using var budget = new IoBudget(100_000_000, TimeProvider.System);
        using var engine = new ReadEngine(new ReadEngineOptions { Workers = 2 }, budget, TimeProvider.System);
        using var root = ((ArtifactRootResult.Opened)ArtifactRoot.Open(directory.Path)).Root;
        using var minute = CancellationTokenSource.CreateLinkedTokenSource(token);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        minute.CancelAfter(TimeSpan.FromSeconds(60));

        await new FileProbe(engine).ReadAsync(root, Ome.Shared.Domain.Manifests.ArtifactPath.Parse("sparse"), ReadRequest.EveryChunk(), minute.Token);

        var rate = engine.BytesRead / clock.Elapsed.TotalSeconds;
        TestContext.Out.WriteLine($"{rate / 1e6:F2} MB/s over {clock.Elapsed.TotalSeconds:F1} s");
        rate.Should().BeInRange(95_000_000, 105_000_000);
    }
}
