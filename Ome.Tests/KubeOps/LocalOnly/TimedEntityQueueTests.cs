using KubeOps.Abstractions.Reconciliation;
using KubeOps.Operator.Queue;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Ome.Tests.KubeOpsApi.Support;

namespace Ome.Tests.KubeOpsApi.LocalOnly;

public sealed class TimedEntityQueueTests
{
    private const int Limit = 120_000;

    private FakeTimeProvider _clock = null!;
    private TimedEntityQueue<Widget> _queue = null!;
    private IAsyncEnumerator<QueueEntry<Widget>> _due = null!;

    [SetUp]
    public void Open()
    {
        _clock = new FakeTimeProvider();
        _queue = new TimedEntityQueue<Widget>(NullLogger<TimedEntityQueue<Widget>>.Instance, timeProvider: _clock);
        _due = _queue.GetAsyncEnumerator();
    }

    [TearDown]
    public async Task CloseAsync()
    {
        _queue.Dispose();
        await _due.DisposeAsync();
    }

    [Test, CancelAfter(Limit)]
    public async Task Entries_come_when_they_are_due_and_not_before(CancellationToken cancellationToken)
    {
        await PutAsync(Life("late", "1"), TimeSpan.FromMinutes(2));
        await PutAsync(Life("early", "2"), TimeSpan.FromMinutes(1));

        await ExpectNothingElseAsync(cancellationToken);
        _clock.Advance(TimeSpan.FromMinutes(1));
        (await TakeAsync(1, cancellationToken))[0].Entity.Metadata.Name.Should().Be("early");

        _clock.Advance(TimeSpan.FromSeconds(59));
        await ExpectNothingElseAsync(cancellationToken);
        var waiting = TakeAsync(1, cancellationToken);
        _clock.Advance(TimeSpan.FromSeconds(1));
        (await waiting)[0].Entity.Metadata.Name.Should().Be("late");
    }

    [Test, CancelAfter(Limit)]
    public async Task The_earlier_time_and_the_newer_object_win(CancellationToken cancellationToken)
    {
        await PutAsync(Life("a", "1"), TimeSpan.FromMinutes(1));
        var newer = Life("a", "1");
        await PutAsync(newer, TimeSpan.FromHours(1));
        await PutAsync(Life("end", "9"), TimeSpan.FromMinutes(1));

        _clock.Advance(TimeSpan.FromMinutes(1));

        var taken = await TakeAsync(2, cancellationToken);
        taken.Select(entry => entry.Entity.Metadata.Name).Should().BeEquivalentTo("a", "end");
        taken.Single(entry => entry.Entity.Metadata.Name == "a").Entity.Should().BeSameAs(newer);
        _clock.Advance(TimeSpan.FromHours(2));
        await ExpectNothingElseAsync(cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task Two_lives_of_a_name_are_two_entries(CancellationToken cancellationToken)
    {
        await PutAsync(Life("a", "old"), TimeSpan.Zero, ReconciliationType.Deleted);
        await PutAsync(Life("a", "new"), TimeSpan.Zero, ReconciliationType.Added);

        (await TakeAsync(2, cancellationToken)).Select(entry => (entry.Entity.Metadata.Uid, entry.ReconciliationType))
            .Should().BeEquivalentTo([("old", ReconciliationType.Deleted), ("new", ReconciliationType.Added)]);
    }

    [TestCase(ReconciliationTriggerSource.Operator, ReconciliationType.Deleted)]
    [TestCase(ReconciliationTriggerSource.ApiServer, ReconciliationType.Added)]
    [CancelAfter(Limit)]
    public async Task A_waiting_deletion_gives_way_to_the_server_only(
        ReconciliationTriggerSource source, ReconciliationType expected, CancellationToken cancellationToken)
    {
        await PutAsync(Life("a", "1"), TimeSpan.Zero, ReconciliationType.Deleted);
        await PutAsync(Life("a", "1"), TimeSpan.Zero, ReconciliationType.Added, source);

        (await TakeAsync(1, cancellationToken))[0].ReconciliationType.Should().Be(expected);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_suspended_queue_takes_nothing_and_a_cleared_one_forgets(CancellationToken cancellationToken)
    {
        await PutAsync(Life("a", "1"), TimeSpan.Zero);
        _queue.SuspendIntake();
        _queue.Clear();
        (await PutAsync(Life("b", "2"), TimeSpan.Zero)).Should().BeFalse();

        _queue.ResumeIntake();
        (await PutAsync(Life("c", "3"), TimeSpan.Zero)).Should().BeTrue();

        (await TakeAsync(1, cancellationToken))[0].Entity.Metadata.Name.Should().Be("c");
    }

    [Test, CancelAfter(Limit)]
    public async Task Ten_thousand_entries_pulled_forward_come_once_each(CancellationToken cancellationToken)
    {
        for (var i = 0; i < 10_000; i++) await PutAsync(Life($"w{i}", $"{i}"), TimeSpan.FromHours(1));
        for (var round = 0; round < 3; round++)
            for (var i = 0; i < 10_000; i++) await PutAsync(Life($"w{i}", $"{i}"), TimeSpan.FromMinutes(30 - (10 * round)));

        _clock.Advance(TimeSpan.FromMinutes(10));

        (await TakeAsync(10_000, cancellationToken)).Select(entry => entry.Entity.Metadata.Uid).Should().OnlyHaveUniqueItems();
        _clock.Advance(TimeSpan.FromHours(1));
        await ExpectNothingElseAsync(cancellationToken);
    }

    private static Widget Life(string name, string uid)
    {
        var widget = Widget.Named(name, "default");
        widget.Metadata.Uid = uid;
        return widget;
    }

    private Task<bool> PutAsync(
        Widget widget, TimeSpan queueIn, ReconciliationType type = ReconciliationType.Modified, ReconciliationTriggerSource source = ReconciliationTriggerSource.ApiServer) =>
        _queue.Enqueue(widget, type, source, queueIn, 0, CancellationToken.None);

    // What is put last and due now comes next only if nothing else is due.
    private async Task ExpectNothingElseAsync(CancellationToken cancellationToken)
    {
        _clock.Advance(TimeSpan.FromTicks(1));
        await PutAsync(Life("sentinel", Guid.NewGuid().ToString()), TimeSpan.Zero);
        (await TakeAsync(1, cancellationToken))[0].Entity.Metadata.Name.Should().Be("sentinel");
    }

    private async Task<List<QueueEntry<Widget>>> TakeAsync(int count, CancellationToken cancellationToken)
    {
        var taken = new List<QueueEntry<Widget>>();
        while (taken.Count < count)
        {
            (await _due.MoveNextAsync().AsTask().WaitAsync(cancellationToken)).Should().BeTrue();
            taken.Add(_due.Current);
        }

        return taken;
    }
}
