using System.Globalization;
using k8s.Models;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.Operator.Queue;
using Microsoft.Extensions.Time.Testing;
using Ome.Shared.Api;
using Ome.Shared.Kube;
using Prometheus;

namespace Ome.Tests.Kube;

public sealed class KeyedEntityQueueTests
{
    private const int Limit = 120_000;

    private FakeTimeProvider _clock = null!;
    private CollectorRegistry _registry = null!;
    private KeyedEntityQueue<BaseModel> _queue = null!;
    private IAsyncEnumerator<QueueEntry<BaseModel>> _entries = null!;
#pragma warning disable NUnit1032 // a task that was awaited needs no Dispose
    private Task<bool>? _next;
#pragma warning restore NUnit1032

    [SetUp]
    public void Make()
    {
        _clock = new();
        _registry = Metrics.NewCustomRegistry();
        var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5), Seed: 1);
        _queue = new(new(backoff), new(Metrics.WithCustomRegistry(_registry)), _clock);
        _entries = _queue.GetAsyncEnumerator(CancellationToken.None);
        _next = null;
    }

    [TearDown]
    public async Task DisposeAsync()
    {
        _queue.Dispose();
        if (_next is not null) await _next;
        await _entries.DisposeAsync();
    }

    [Test, CancelAfter(Limit)]
    public async Task A_due_object_comes_at_once_and_a_later_one_when_its_time_has_come(CancellationToken cancellationToken)
    {
        await PutAsync("later", TimeSpan.FromSeconds(10));
        await PutAsync("now");

        (await TakeAsync(cancellationToken)).Entity.Name().Should().Be("now");
        await NothingAsync();
        _clock.Advance(TimeSpan.FromSeconds(9.9));
        await NothingAsync();
        _clock.Advance(TimeSpan.FromSeconds(0.2));
        (await TakeAsync(cancellationToken)).Entity.Name().Should().Be("later");
        await NothingAsync();
    }

    [Test, CancelAfter(Limit)]
    public async Task The_earliest_time_wins_and_the_newest_object_is_taken(CancellationToken cancellationToken)
    {
        await PutAsync("m", TimeSpan.FromSeconds(60), version: "1");
        await PutAsync("m", TimeSpan.FromSeconds(5), version: "2");
        await PutAsync("m", TimeSpan.FromSeconds(30), version: "3");
        _queue.Count.Should().Be(1);

        _clock.Advance(TimeSpan.FromSeconds(5.1));

        (await TakeAsync(cancellationToken)).Entity.ResourceVersion().Should().Be("3");
        _clock.Advance(TimeSpan.FromHours(1));
        await NothingAsync();
    }

    [Test, CancelAfter(Limit)]
    public async Task A_waiting_deletion_stays_one_within_the_same_life(CancellationToken cancellationToken)
    {
        await PutAsync("m", type: ReconciliationType.Deleted, version: "9");
        await PutAsync("m", type: ReconciliationType.Modified, version: "8");

        (await TakeAsync(cancellationToken)).Should().Match<QueueEntry<BaseModel>>(e => e.ReconciliationType == ReconciliationType.Deleted && e.Entity.ResourceVersion() == "9");
        await NothingAsync();
    }

    [Test, CancelAfter(Limit)]
    public async Task A_name_that_is_deleted_and_created_again_is_two_entries(CancellationToken cancellationToken)
    {
        for (var life = 0; life < 20; life++)
        {
            await PutAsync("m", type: ReconciliationType.Deleted, uid: $"u{life}");
            await PutAsync("m", type: ReconciliationType.Added, uid: $"u{life + 1}");
            _clock.Advance(TimeSpan.FromMilliseconds(2));
            var old = await TakeAsync(cancellationToken);
            var born = await TakeAsync(cancellationToken);
            (old.ReconciliationType, old.Entity.Uid()).Should().Be((ReconciliationType.Deleted, $"u{life}"));
            (born.ReconciliationType, born.Entity.Uid()).Should().Be((ReconciliationType.Added, $"u{life + 1}"));
        }
    }

    [Test, CancelAfter(Limit)]
    public async Task A_retry_waits_for_the_capped_back_off_whatever_was_asked_for(CancellationToken cancellationToken)
    {
        await PutAsync("m", TimeSpan.FromDays(900), retry: 40);
        _clock.Advance(TimeSpan.FromSeconds(149));
        await NothingAsync();
        _clock.Advance(TimeSpan.FromSeconds(151.1));
        (await TakeAsync(cancellationToken)).RetryCount.Should().Be(40);

        await PutAsync("m", TimeSpan.Zero, retry: int.MaxValue);
        await NothingAsync();
        _clock.Advance(TimeSpan.FromMinutes(5.1));
        (await TakeAsync(cancellationToken)).RetryCount.Should().Be(int.MaxValue);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_fresh_event_does_not_wait_for_the_back_off(CancellationToken cancellationToken)
    {
        await PutAsync("m", retry: 9);
        await PutAsync("m", retry: 0);
        (await TakeAsync(cancellationToken)).RetryCount.Should().Be(0);
    }

    [Test, CancelAfter(Limit)]
    public async Task Without_leadership_nothing_is_taken_in_and_what_waited_is_gone(CancellationToken cancellationToken)
    {
        await PutAsync("a");
        _queue.SuspendIntake();
        _queue.Clear();
        (await PutAsync("b")).Should().BeFalse();
        await NothingAsync();
        _queue.ResumeIntake();
        (await PutAsync("c")).Should().BeTrue();
        (await TakeAsync(cancellationToken)).Entity.Name().Should().Be("c");
    }

    [Test, CancelAfter(Limit)]
    public async Task What_is_due_when_a_consumer_stops_goes_to_the_next_one(CancellationToken cancellationToken)
    {
        await PutAsync("a");
        await PutAsync("b");
        await TakeAsync(cancellationToken);
        await _entries.DisposeAsync();

        _entries = _queue.GetAsyncEnumerator(CancellationToken.None);
        (await TakeAsync(cancellationToken)).Entity.Name().Should().Be("b");
    }

    [Test, CancelAfter(Limit)]
    public async Task A_cancelled_consumer_stops_and_a_disposed_queue_ends_the_enumeration(CancellationToken cancellationToken)
    {
        using var stop = new CancellationTokenSource();
        await using var other = _queue.GetAsyncEnumerator(stop.Token);
        var waiting = other.MoveNextAsync().AsTask();
        await stop.CancelAsync();
        await FluentActions.Awaiting(() => waiting).Should().ThrowAsync<OperationCanceledException>();

        await NothingAsync();
        _queue.Dispose();
        (await _next!.WaitAsync(cancellationToken)).Should().BeFalse();
        (await PutAsync("late")).Should().BeFalse();
    }

    [Test, CancelAfter(Limit)]
    public async Task Long_delays_end_together_and_short_ones_on_time(CancellationToken cancellationToken)
    {
        await PutAsync("short", TimeSpan.FromMilliseconds(37));
        for (var i = 0; i < 50; i++) await PutAsync($"long{i}", TimeSpan.FromMilliseconds(60_001 + i));

        _clock.Advance(TimeSpan.FromMilliseconds(37));
        (await TakeAsync(cancellationToken)).Entity.Name().Should().Be("short");
        await NothingAsync();
        _clock.Advance(TimeSpan.FromSeconds(60));
        await NothingAsync();
        _clock.Advance(TimeSpan.FromMilliseconds(200));
        for (var i = 0; i < 50; i++) (await TakeAsync(cancellationToken)).Entity.Name().Should().Be($"long{i}");
    }

    [Test, CancelAfter(Limit)]
    public async Task Depth_latency_and_retries_are_measured(CancellationToken cancellationToken)
    {
        await PutAsync("a", TimeSpan.FromSeconds(1));
        await PutAsync("b", retry: 1);
        (await ExposedAsync("ome_queue_depth")).Should().Be(2);
        _clock.Advance(TimeSpan.FromSeconds(3));
        await TakeAsync(cancellationToken);
        await TakeAsync(cancellationToken);

        (await ExposedAsync("ome_queue_depth")).Should().Be(0);
        (await ExposedAsync("ome_queue_retries_total")).Should().Be(1);
        (await ExposedAsync("ome_queue_latency_seconds_count")).Should().Be(2);
        (await ExposedAsync("ome_queue_latency_seconds_sum")).Should().BeInRange(4, 5, "one was 2 s late, the other between 2 s and 2.5 s");
    }

    [Test, CancelAfter(Limit)]
    public async Task An_event_that_waits_stays_one_when_a_run_is_planned_too(CancellationToken cancellationToken)
    {
        await PutAsync("m", version: "9");
        await PutAsync("m", TimeSpan.FromMinutes(10), version: "8", source: ReconciliationTriggerSource.Operator);

        (await TakeAsync(cancellationToken)).Should().Match<QueueEntry<BaseModel>>(e => e.ReconciliationTriggerSource == ReconciliationTriggerSource.ApiServer && e.Entity.ResourceVersion() == "9");
        await NothingAsync();
    }

    [Test, CancelAfter(Limit)]
    public async Task A_planned_run_becomes_the_run_of_an_event_that_comes(CancellationToken cancellationToken)
    {
        await PutAsync("m", TimeSpan.FromMinutes(10), version: "8", source: ReconciliationTriggerSource.Operator);
        await PutAsync("m", version: "9");

        (await TakeAsync(cancellationToken)).Should().Match<QueueEntry<BaseModel>>(e => e.ReconciliationTriggerSource == ReconciliationTriggerSource.ApiServer && e.Entity.ResourceVersion() == "9");
        await NothingAsync();
    }

    [Test, CancelAfter(Limit)]
    public async Task A_time_further_off_than_a_timer_can_count_still_comes(CancellationToken cancellationToken)
    {
        await PutAsync("m", TimeSpan.FromDays(9));
        for (var day = 0; day < 9; day++)
        {
            await NothingAsync();
            _clock.Advance(TimeSpan.FromDays(1));
        }
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        (await TakeAsync(cancellationToken)).Entity.Name().Should().Be("m");
    }

    private Task<bool> PutAsync(
        string name, TimeSpan queueIn = default, ReconciliationType type = ReconciliationType.Added, string uid = "u1", string version = "1", int retry = 0,
        ReconciliationTriggerSource source = ReconciliationTriggerSource.ApiServer)
    {
        var model = new BaseModel { Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "ns", Uid = uid, ResourceVersion = version } };
        return _queue.Enqueue(model, type, source, queueIn, retry, CancellationToken.None);
    }

    private async Task<QueueEntry<BaseModel>> TakeAsync(CancellationToken cancellationToken)
    {
        _next ??= _entries.MoveNextAsync().AsTask();
        (await _next.WaitAsync(cancellationToken)).Should().BeTrue();
        _next = null;
        return _entries.Current;
    }

    /// <summary>The consumer ran as far as it can and still waits: on the fake clock nothing else would wake it.</summary>
    private async Task NothingAsync()
    {
        _next ??= _entries.MoveNextAsync().AsTask();
        await Task.WhenAny(_next, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None));
        _next.IsCompleted.Should().BeFalse();
    }

    private async Task<double> ExposedAsync(string name)
    {
        using var text = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(text);
        var line = System.Text.Encoding.UTF8.GetString(text.ToArray()).Split('\n').Single(line => line.StartsWith(name + "{", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture);
    }
}
