using System.Collections.Concurrent;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.Abstractions.Reconciliation.Controller;
using KubeOps.Abstractions.Reconciliation.Queue;
using Microsoft.Extensions.DependencyInjection;
using Ome.Tests.KubeOpsApi.Support;
using Result = KubeOps.Abstractions.Reconciliation.ReconciliationResult<Ome.Tests.KubeOpsApi.Support.Widget>;

namespace Ome.Tests.KubeOpsApi;

public sealed class ReconcilingTests : WidgetFixture
{
    [Test, CancelAfter(Limit)]
    public async Task Objects_that_were_there_and_objects_that_come_are_reconciled(CancellationToken cancellationToken)
    {
        var old = await Plane.CreateWidgetAsync("old", Namespace, cancellationToken);
        var running = await StartAsync(cancellationToken);
        (await running.Log.NextAsync("reconcile", "old", cancellationToken)).Uid.Should().Be(old.Metadata.Uid);

        var young = await Plane.CreateWidgetAsync("young", Namespace, cancellationToken);

        (await running.Log.NextAsync("reconcile", "young", cancellationToken)).Uid.Should().Be(young.Metadata.Uid);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_change_of_the_spec_wakes_and_one_of_status_labels_or_annotations_does_not(CancellationToken cancellationToken)
    {
        var running = await StartAsync(cancellationToken);
        var widget = await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        await running.Log.NextAsync("reconcile", "a", cancellationToken);

        await Plane.PatchWidgetStatusAsync(widget, """{"status":{"note":"x"}}""", cancellationToken);
        await Plane.PatchWidgetAsync(widget, """{"metadata":{"labels":{"a":"b"},"annotations":{"c":"d"}}}""", cancellationToken);
        await running.WaitUntilCaughtUpAsync(Plane, Namespace, cancellationToken);
        running.Log.Count("reconcile", "a").Should().Be(1);

        await Plane.PatchWidgetAsync(widget, """{"spec":{"size":2}}""", cancellationToken);
        var call = await running.Log.NextAsync("reconcile", "a", cancellationToken);
        call.Widget.Spec.Size.Should().Be(2);
        call.Widget.Status.Note.Should().Be("x", "the run reads the object anew");
    }

    [Test, CancelAfter(Limit)]
    public async Task By_resource_version_a_status_wakes_too(CancellationToken cancellationToken)
    {
        var running = await StartAsync(cancellationToken, settings => settings.WithReconcileStrategy(ReconcileStrategy.ByResourceVersion));
        var widget = await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        await running.Log.NextAsync("reconcile", "a", cancellationToken);

        await Plane.PatchWidgetStatusAsync(widget, """{"status":{"note":"x"}}""", cancellationToken);

        (await running.Log.NextAsync("reconcile", "a", cancellationToken)).Widget.Status.Note.Should().Be("x");
    }

    [TestCase(true), TestCase(false), CancelAfter(Limit)]
    public async Task Requeue_after_brings_the_object_back_after_success_and_failure_alike(bool isSuccess, CancellationToken cancellationToken)
    {
        var log = new WidgetLog();
        var soon = TimeSpan.FromMilliseconds(30);
        log.OnReconcile = (widget, _) => Task.FromResult(isSuccess ? Result.Success(widget, soon) : Result.Failure(widget, "not yet", requeueAfter: soon));
        await StartAsync(cancellationToken, log: log);
        await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);

        for (var run = 0; run < 4; run++) await log.NextAsync("reconcile", "a", cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task An_exception_is_tried_again(CancellationToken cancellationToken)
    {
        var log = new WidgetLog();
        log.OnReconcile = (widget, token) =>
            log.Count("reconcile", "a") < 3 ? throw new InvalidDataException("broken on purpose") : WidgetLog.Fine(widget, token);
        await StartAsync(cancellationToken, log: log);

        await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);

        for (var run = 0; run < 3; run++) await log.NextAsync("reconcile", "a", cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_deleted_object_is_reported_as_it_last_was(CancellationToken cancellationToken)
    {
        var running = await StartAsync(cancellationToken);
        var widget = await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        await running.Log.NextAsync("reconcile", "a", cancellationToken);
        await Plane.PatchWidgetAsync(widget, """{"metadata":{"labels":{"last":"words"}}}""", cancellationToken);

        await Plane.DeleteWidgetAsync(widget, cancellationToken);

        var call = await running.Log.NextAsync("deleted", "a", cancellationToken);
        call.Uid.Should().Be(widget.Metadata.Uid);
        call.Widget.Metadata.Labels.Should().Contain("last", "words");
    }

    [Test, CancelAfter(Limit)]
    public async Task Only_selected_objects_are_seen_and_one_that_leaves_the_selector_counts_as_deleted(CancellationToken cancellationToken)
    {
        var running = await StartAsync(cancellationToken, register: builder => builder.AddControllerWithLabelSelector<WidgetController, Widget, WatchedWidgets>());
        await Plane.CreateWidgetAsync("unwatched", Namespace, cancellationToken);
        var widget = await Plane.CreateWidgetAsync("a", Namespace, cancellationToken, ("watched", "yes"));
        await running.Log.NextAsync("reconcile", "a", cancellationToken);

        await Plane.PatchWidgetAsync(widget, """{"metadata":{"labels":{"watched":"no"}}}""", cancellationToken);
        await running.Log.NextAsync("deleted", "a", cancellationToken);
        await Plane.PatchWidgetAsync(widget, """{"metadata":{"labels":{"watched":"yes"}}}""", cancellationToken);
        await running.Log.NextAsync("reconcile", "a", cancellationToken);

        running.Log.Calls.Should().NotContain(call => call.Name == "unwatched");
    }

    [Test, CancelAfter(Limit)]
    public async Task One_object_runs_once_at_a_time_and_others_beside_it(CancellationToken cancellationToken)
    {
        var log = new WidgetLog();
        var gate = new TaskCompletionSource();
        var (inside, most) = (0, 0);
        log.OnReconcile = async (widget, token) =>
        {
            if (widget.Metadata.Name != "slow") return Result.Success(widget);
            most = Math.Max(most, Interlocked.Increment(ref inside));
            await gate.Task.WaitAsync(token);
            Interlocked.Decrement(ref inside);
            return Result.Success(widget);
        };
        var running = await StartAsync(cancellationToken, log: log);
        var slow = await Plane.CreateWidgetAsync("slow", Namespace, cancellationToken);
        await log.NextAsync("reconcile", "slow", cancellationToken);

        var newest = await Plane.PatchWidgetAsync(slow, """{"spec":{"size":7}}""", cancellationToken);
        await running.WaitUntilCaughtUpAsync(Plane, Namespace, cancellationToken);
        log.Count("reconcile", "slow").Should().Be(1);
        gate.SetResult();

        (await log.NextAsync("reconcile", "slow", cancellationToken)).Widget.Metadata.Generation.Should().Be(newest.Metadata.Generation);
        most.Should().Be(1);
    }

    [Test, CancelAfter(Limit)]
    public async Task Each_run_has_a_scope_of_its_own(CancellationToken cancellationToken)
    {
        var scopes = new ConcurrentQueue<Guid>();
        await StartAsync(
            cancellationToken,
            register: builder => builder.AddController<ScopedController, Widget>(),
            before: services => services.AddSingleton(scopes).AddScoped<ScopedController.Token>());

        await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);

        while (scopes.Count < 3) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        scopes.Should().OnlyHaveUniqueItems();
    }

    [Test, CancelAfter(Limit)]
    public async Task Anybody_can_wake_an_object_through_the_queue(CancellationToken cancellationToken)
    {
        var running = await StartAsync(cancellationToken);
        var widget = await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        await running.Log.NextAsync("reconcile", "a", cancellationToken);
        await Plane.PatchWidgetStatusAsync(widget, """{"status":{"note":"new"}}""", cancellationToken);
        var wake = running.Services.GetRequiredService<EntityQueue<Widget>>();

        var isTaken = await wake(widget, ReconciliationType.Modified, ReconciliationTriggerSource.Operator, TimeSpan.Zero, 0, cancellationToken);

        isTaken.Should().BeTrue();
        (await running.Log.NextAsync("reconcile", "a", cancellationToken)).Widget.Status.Note.Should().Be("new", "the run reads the object anew");
    }

    [Test, CancelAfter(Limit)]
    public async Task An_object_that_vanished_meanwhile_is_not_reconciled(CancellationToken cancellationToken)
    {
        var running = await StartAsync(cancellationToken);
        var wake = running.Services.GetRequiredService<EntityQueue<Widget>>();
        var ghost = Widget.Named("ghost", Namespace);
        ghost.Metadata.Uid = Guid.NewGuid().ToString();

        await wake(ghost, ReconciliationType.Modified, ReconciliationTriggerSource.Operator, TimeSpan.Zero, 0, cancellationToken);
        await running.WaitUntilCaughtUpAsync(Plane, Namespace, cancellationToken);

        running.Log.Calls.Should().NotContain(call => call.Name == "ghost");
    }

    [Test, CancelAfter(Limit)]
    public async Task A_stopping_host_cancels_what_runs(CancellationToken cancellationToken)
    {
        var log = new WidgetLog();
        var cancelled = new TaskCompletionSource();
        log.OnReconcile = async (widget, token) =>
        {
            await using var note = token.Register(cancelled.SetResult);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return Result.Success(widget);
        };
        var running = await StartAsync(cancellationToken, log: log);
        await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        await log.NextAsync("reconcile", "a", cancellationToken);

        await running.StopAsync(cancellationToken);

        cancelled.Task.IsCompletedSuccessfully.Should().BeTrue("the stop waits for the run to end");
    }

    internal sealed class ScopedController(ScopedController.Token first, ScopedController.Token second, ConcurrentQueue<Guid> scopes) : IEntityController<Widget>
    {
        public Task<Result> ReconcileAsync(Widget entity, CancellationToken cancellationToken)
        {
            second.Should().BeSameAs(first);
            scopes.Enqueue(first.Id);
            return Task.FromResult(Result.Success(entity, TimeSpan.FromMilliseconds(10)));
        }

        public Task<Result> DeletedAsync(Widget entity, CancellationToken cancellationToken) => WidgetLog.Fine(entity, cancellationToken);

        internal sealed class Token
        {
            internal Guid Id { get; } = Guid.NewGuid();
        }
    }
}
