using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Reconciliation.Finalizer;
using Microsoft.Extensions.DependencyInjection;
using Ome.Tests.KubeOpsApi.Support;
using Result = KubeOps.Abstractions.Reconciliation.ReconciliationResult<Ome.Tests.KubeOpsApi.Support.Widget>;

namespace Ome.Tests.KubeOpsApi;

public sealed class FinalizerTests : WidgetFixture
{
    [Test, CancelAfter(Limit)]
    public async Task A_finalizer_is_attached_once_under_its_registered_name(CancellationToken cancellationToken)
    {
        var running = await StartAsync(cancellationToken, register: WithFinalizer);
        var widget = await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        var attach = running.Services.GetRequiredService<EntityFinalizerAttacher<WidgetFinalizer, Widget>>();

        var attached = await attach(widget, cancellationToken);
        var again = await attach(attached, cancellationToken);

        attached.Metadata.Finalizers.Should().Equal(WidgetFinalizer.Identifier);
        again.Metadata.ResourceVersion.Should().Be(attached.Metadata.ResourceVersion);
        (await Plane.ReadWidgetAsync(widget, cancellationToken))!.Metadata.Finalizers.Should().Equal(WidgetFinalizer.Identifier);
    }

    [Test, CancelAfter(Limit)]
    public async Task An_object_goes_when_its_finalizer_succeeds_and_not_before(CancellationToken cancellationToken)
    {
        var log = new WidgetLog();
        var gate = new TaskCompletionSource();
        log.OnFinalize = (widget, _) => Task.FromResult(
            gate.Task.IsCompleted ? Result.Success(widget) : Result.Failure(widget, "still needed", requeueAfter: TimeSpan.FromMilliseconds(30)));
        await StartAsync(cancellationToken, register: WithFinalizer, log: log);
        var widget = await CreateHeldAsync("a", cancellationToken);
        await log.NextAsync("reconcile", "a", cancellationToken);

        await Plane.DeleteWidgetAsync(widget, cancellationToken);
        for (var run = 0; run < 3; run++) await log.NextAsync("finalize", "a", cancellationToken);
        (await Plane.ReadWidgetAsync(widget, cancellationToken))!.Metadata.Finalizers.Should().Equal(WidgetFinalizer.Identifier);
        gate.SetResult();

        await log.NextAsync("deleted", "a", cancellationToken);
        (await Plane.ReadWidgetAsync(widget, cancellationToken)).Should().BeNull();
    }

    [Test, CancelAfter(Limit)]
    public async Task An_object_that_is_being_deleted_is_not_reconciled_and_a_foreign_finalizer_is_left_alone(CancellationToken cancellationToken)
    {
        const string Foreign = "others.example.com/hold";
        var running = await StartAsync(cancellationToken, register: WithFinalizer);
        var widget = Widget.Named("a", Namespace);
        widget.Metadata.Finalizers = [Foreign, WidgetFinalizer.Identifier];
        await Plane.CreateWidgetAsync(widget, cancellationToken);
        await running.Log.NextAsync("reconcile", "a", cancellationToken);

        await Plane.DeleteWidgetAsync(widget, cancellationToken);
        await running.WaitUntilCaughtUpAsync(Plane, Namespace, cancellationToken);
        running.Log.Count("reconcile", "a").Should().Be(1);
        running.Log.Count("finalize", "a").Should().Be(0, "ours waits behind the other");

        await Plane.PatchWidgetAsync(widget, $$$"""{"metadata":{"finalizers":["{{{WidgetFinalizer.Identifier}}}"]}}""", cancellationToken);
        await running.Log.NextAsync("finalize", "a", cancellationToken);
        await running.Log.NextAsync("deleted", "a", cancellationToken);
        running.Log.Count("reconcile", "a").Should().Be(1);
    }

    [Test, CancelAfter(Limit)]
    public async Task Without_auto_detach_the_finalizer_stays(CancellationToken cancellationToken)
    {
        var running = await StartAsync(cancellationToken, settings => settings.WithAutoDetachFinalizers(false), WithFinalizer);
        var widget = await CreateHeldAsync("a", cancellationToken);
        await running.Log.NextAsync("reconcile", "a", cancellationToken);

        await Plane.DeleteWidgetAsync(widget, cancellationToken);
        await running.Log.NextAsync("finalize", "a", cancellationToken);
        await running.WaitUntilCaughtUpAsync(Plane, Namespace, cancellationToken);

        (await Plane.ReadWidgetAsync(widget, cancellationToken))!.Metadata.Finalizers.Should().Equal(WidgetFinalizer.Identifier);
    }

    [Test]
    public void The_derived_name_is_group_and_class()
    {
        var finalizer = new WidgetFinalizer(new WidgetLog());

        finalizer.GetIdentifierName(Widget.Named("a", "b")).Should().Be("tests.ome.io/widgetfinalizer");
    }

    private static void WithFinalizer(IOperatorBuilder builder) =>
        builder.AddController<WidgetController, Widget>().AddFinalizer<WidgetFinalizer, Widget>(WidgetFinalizer.Identifier);

    private Task<Widget> CreateHeldAsync(string name, CancellationToken cancellationToken)
    {
        var widget = Widget.Named(name, Namespace);
        widget.Metadata.Finalizers = [WidgetFinalizer.Identifier];
        return Plane.CreateWidgetAsync(widget, cancellationToken);
    }
}
