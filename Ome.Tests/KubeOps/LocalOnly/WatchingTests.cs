using k8s;
using k8s.Models;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.Abstractions.Reconciliation.Controller;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Ome.LocalCluster.Faults;
using Ome.Tests.KubeOpsApi.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.KubeOpsApi.LocalOnly;

/// <summary>What the watch of Ome.KubeOps survives. Each test ends in an event that only a working watch can bring.</summary>
public sealed class WatchingTests : WidgetFixture
{
    [Test, CancelAfter(Limit)]
    public async Task What_was_deleted_while_nobody_watched_is_reported_after_the_next_list(CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        var running = await StartAsync(cancellationToken);
        var widget = await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        await running.Log.NextAsync("reconcile", "a", cancellationToken);

        using (faults.Add(new FaultRule { Verb = "watch", Resource = Widget.Plural, Code = 503 }))
        {
            faults.DropWatches(Widget.Plural);
            await Plane.DeleteWidgetAsync(widget, cancellationToken);
            faults.TruncateHistory();
        }

        (await running.Log.NextAsync("deleted", "a", cancellationToken)).Uid.Should().Be(widget.Metadata.Uid);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_forgotten_resource_version_leads_to_a_list_that_repeats_nothing(CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        var running = await StartAsync(cancellationToken);
        await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        await running.Log.NextAsync("reconcile", "a", cancellationToken);
        await Plane.CreateNamespaceAsync(cancellationToken);

        faults.TruncateHistory();
        faults.DropWatches(Widget.Plural);
        await running.WaitUntilCaughtUpAsync(Plane, Namespace, cancellationToken);

        running.Log.Count("reconcile", "a").Should().Be(1);
        running.Log.Calls.Should().NotContain(call => call.Method == "deleted");
    }

    [Test, CancelAfter(Limit)]
    public async Task A_watch_is_resumed_where_it_broke_without_another_list(CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        var requests = Plane.RequireRequestLog();
        var running = await StartAsync(cancellationToken);
        await running.WaitUntilCaughtUpAsync(Plane, Namespace, cancellationToken);
        requests.Clear();

        faults.DropWatches(Widget.Plural);
        await running.WaitUntilCaughtUpAsync(Plane, Namespace, cancellationToken);

        requests.Last.Where(request => request.Resource == Widget.Plural && request.Namespace == Namespace).Select(request => request.Verb)
            .Should().Contain("watch").And.NotContain("list");
    }

    [Test, CancelAfter(Limit)]
    public async Task A_silent_watch_is_dropped_and_asked_for_again(CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        var clock = new FakeTimeProvider();
        var running = await StartAsync(cancellationToken, before: services => services.AddSingleton<TimeProvider>(clock));
        await running.WaitUntilCaughtUpAsync(Plane, Namespace, cancellationToken);
        faults.SilenceWatches(Widget.Plural);
        await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        faults.UnsilenceWatches(Widget.Plural);

        // Each step reaches whatever timer was set since the one before.
        while (running.Log.Count("reconcile", "a") == 0)
        {
            clock.Advance(TimeSpan.FromMinutes(3));
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }
    }

    [Test, CancelAfter(Limit)]
    public async Task A_server_that_closes_a_watch_at_once_is_asked_again_after_a_while_only(CancellationToken cancellationToken)
    {
        await using var plane = await ControlPlanes.StartAsync(cancellationToken);
        var faults = plane.RequireFaults();
        var clock = new FakeTimeProvider();
        await plane.InstallWidgetsAsync(cancellationToken);
        await using var running = await WidgetOperator.StartAsync(
            plane, "default", before: services => services.AddSingleton<TimeProvider>(clock), cancellationToken: cancellationToken);
        await UntilOpenAsync();

        faults.DropWatches(Widget.Plural);

        // On the operator's clock no time has passed: a watcher that waits at all does not come back.
        for (var i = 0; i < 5; i++) await plane.CreateNamespaceAsync(cancellationToken);
        faults.OpenWatches(Widget.Plural).Should().Be(0);
        clock.Advance(TimeSpan.FromSeconds(2));
        await UntilOpenAsync();

        async Task UntilOpenAsync()
        {
            while (faults.OpenWatches(Widget.Plural) == 0) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        }
    }

    [Test, CancelAfter(Limit)]
    public async Task A_cluster_wide_kind_is_watched_as_such_although_a_namespace_is_set(CancellationToken cancellationToken)
    {
        var seen = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await StartAsync(
            cancellationToken,
            register: builder => builder.AddController<NodeController, V1Node>(),
            before: services => services.AddSingleton(seen));
        var node = await Plane.Admin.CoreV1.CreateNodeAsync(
            new V1Node { Metadata = new V1ObjectMeta { Name = "node-" + Guid.NewGuid().ToString("N")[..8] } }, cancellationToken: cancellationToken);

        while (!seen.Contains(node.Name())) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task An_operator_that_starts_before_its_kind_exists_begins_when_it_does(CancellationToken cancellationToken)
    {
        await using var plane = await ControlPlanes.StartAsync(cancellationToken);
        await using var running = await WidgetOperator.StartAsync(plane, "default", cancellationToken: cancellationToken);

        await plane.InstallWidgetsAsync(cancellationToken);

        await running.WaitUntilCaughtUpAsync(plane, "default", cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task An_object_that_does_not_fit_the_class_keeps_nobody_else_out(CancellationToken cancellationToken)
    {
        await using var plane = await ControlPlanes.StartAsync(cancellationToken);
        await plane.InstallWidgetsAsync(cancellationToken, definition =>
            definition.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"] = new V1JSONSchemaProps { Type = "object", XKubernetesPreserveUnknownFields = true });
        await CreateMisfitAsync("listed-misfit");
        await plane.CreateWidgetAsync("listed", "default", cancellationToken);
        await using var running = await WidgetOperator.StartAsync(plane, "default", cancellationToken: cancellationToken);
        await running.Log.NextAsync("reconcile", "listed", cancellationToken);

        await CreateMisfitAsync("watched-misfit");
        await plane.CreateWidgetAsync("watched", "default", cancellationToken);
        await running.Log.NextAsync("reconcile", "watched", cancellationToken);

        running.Log.Calls.Select(call => call.Name).Should().BeEquivalentTo("listed", "watched");

        Task CreateMisfitAsync(string name) => plane.Admin.CustomObjects.CreateNamespacedCustomObjectAsync(
            new { apiVersion = "tests.ome.io/v1", kind = "Widget", metadata = new { name }, spec = new { size = "enormous" } },
            "tests.ome.io", "v1", "default", Widget.Plural, cancellationToken: cancellationToken);
    }

    internal sealed class NodeController(System.Collections.Concurrent.ConcurrentQueue<string> seen) : IEntityController<V1Node>
    {
        public Task<ReconciliationResult<V1Node>> ReconcileAsync(V1Node entity, CancellationToken cancellationToken)
        {
            seen.Enqueue(entity.Name());
            return Task.FromResult(ReconciliationResult<V1Node>.Success(entity));
        }

        public Task<ReconciliationResult<V1Node>> DeletedAsync(V1Node entity, CancellationToken cancellationToken) =>
            Task.FromResult(ReconciliationResult<V1Node>.Success(entity));
    }
}
