using System.Text.Json.Nodes;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Reconciliation.Finalizer;
using KubeOps.Operator;
using Microsoft.Extensions.DependencyInjection;
using Ome.Tests.KubeOpsApi.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.KubeOpsApi.LocalOnly;

/// <summary>How Ome.KubeOps writes, and what it refuses to be told.</summary>
public sealed class WritingTests : WidgetFixture
{
    [Test, CancelAfter(Limit)]
    public async Task Finalizers_come_and_go_by_patches(CancellationToken cancellationToken)
    {
        var requests = Plane.RequireRequestLog();
        var running = await StartAsync(
            cancellationToken, register: builder => builder.AddController<WidgetController, Widget>().AddFinalizer<WidgetFinalizer, Widget>(WidgetFinalizer.Identifier));
        var widget = await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        requests.Clear();

        await running.Services.GetRequiredService<EntityFinalizerAttacher<WidgetFinalizer, Widget>>()(widget, cancellationToken);
        await Plane.DeleteWidgetAsync(widget, cancellationToken);
        await running.Log.NextAsync("deleted", "a", cancellationToken);

        requests.Writes.Where(request => request.Name == "a").Select(request => request.Verb).Should().Equal("patch", "delete", "patch");
    }

    [Test, CancelAfter(Limit)]
    public async Task A_finalizer_somebody_added_meanwhile_survives(CancellationToken cancellationToken)
    {
        const string Foreign = "others.example.com/hold";
        var log = new WidgetLog();
        log.OnFinalize = async (widget, token) =>
        {
            await Plane.PatchWidgetAsync(
                widget, new JsonObject { ["metadata"] = new JsonObject { ["finalizers"] = new JsonArray(WidgetFinalizer.Identifier, Foreign), ["annotations"] = new JsonObject { ["by"] = "them" } } }.ToJsonString(), token);
            return await WidgetLog.Fine(widget, token);
        };
        await StartAsync(
            cancellationToken,
            register: builder => builder.AddController<WidgetController, Widget>().AddFinalizer<WidgetFinalizer, Widget>(WidgetFinalizer.Identifier),
            log: log);
        var held = Widget.Named("a", Namespace);
        held.Metadata.Finalizers = [WidgetFinalizer.Identifier, Foreign];
        var widget = await Plane.CreateWidgetAsync(held, cancellationToken);

        await Plane.DeleteWidgetAsync(widget, cancellationToken);
        await log.NextAsync("finalize", "a", cancellationToken);

        while ((await Plane.ReadWidgetAsync(widget, cancellationToken))!.Metadata.Finalizers.Contains(WidgetFinalizer.Identifier))
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        (await Plane.ReadWidgetAsync(widget, cancellationToken))!.Metadata.Finalizers.Should().Equal(Foreign);
    }

    [Test]
    public void A_setting_that_only_the_packages_have_is_refused_by_name_and_value()
    {
        var services = new ServiceCollection();

        services.Invoking(s => s.AddKubernetesOperator(settings => settings.WithLeaderElection(LeaderElectionType.Scoped)))
            .Should().Throw<NotSupportedException>().WithMessage("LeaderElectionType is Scoped; *None, Single or Custom*");
        services.Invoking(s => s.AddKubernetesOperator(settings => settings.WithWatchStrategy(WatchStrategy.SharedPerEntity)))
            .Should().Throw<NotSupportedException>().WithMessage("WatchStrategy is SharedPerEntity; *PerController*");
        services.Invoking(s => s.AddKubernetesOperator(settings => settings.WithRegistrationValidation()))
            .Should().Throw<NotSupportedException>().WithMessage("ValidateRegistrations is True; *False*");
    }

    [Test]
    public void A_finalizer_that_would_leave_objects_undeletable_is_refused_with_the_remedy() =>
        new ServiceCollection().AddKubernetesOperator()
            .Invoking(builder => builder.AddFinalizer<WidgetFinalizer, Widget>(WidgetFinalizer.Identifier))
            .Should().Throw<InvalidOperationException>().WithMessage("*WithAutoAttachFinalizers(false)*");
}
