using k8s;
using KubeOps.Abstractions.Events;
using Microsoft.Extensions.DependencyInjection;
using Ome.LocalCluster.Faults;
using Ome.Tests.KubeOpsApi.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.KubeOpsApi;

public sealed class EventTests : WidgetFixture
{
    [Test, CancelAfter(Limit)]
    public async Task A_repeated_event_is_counted_and_another_message_is_another_event(CancellationToken cancellationToken)
    {
        var running = await StartAsync(cancellationToken);
        var widget = await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        var publish = running.Services.GetRequiredService<EventPublisher>();

        for (var i = 0; i < 3; i++) await publish(widget, "Broke", "it broke", EventType.Warning, cancellationToken);
        await publish(widget, "Broke", "it broke again", cancellationToken: cancellationToken);

        var events = (await Plane.Admin.CoreV1.ListNamespacedEventAsync(Namespace, cancellationToken: cancellationToken)).Items;
        events.Should().HaveCount(2);
        var counted = events.Single(item => item.Message == "it broke");
        counted.Count.Should().Be(3);
        counted.Type.Should().Be("Warning");
        counted.Reason.Should().Be("Broke");
        counted.InvolvedObject.Uid.Should().Be(widget.Metadata.Uid);
        counted.InvolvedObject.Kind.Should().Be("Widget");
        counted.Source.Component.Should().Be("widget-operator");
        counted.LastTimestamp.Should().BeOnOrAfter(counted.FirstTimestamp!.Value);
        events.Single(item => item.Message == "it broke again").Should().Match<k8s.Models.Corev1Event>(item => item.Count == 1 && item.Type == "Normal");
    }

    [Test, CancelAfter(Limit)]
    public async Task A_failing_api_server_does_not_reach_the_publisher(CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        var running = await StartAsync(cancellationToken);
        var widget = await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        using var refusal = faults.Add(new FaultRule { Resource = "events", Code = 500 });

        await running.Services.GetRequiredService<EventPublisher>()(widget, "Broke", "it broke", EventType.Warning, cancellationToken);

        refusal.Hits.Should().BePositive();
    }
}
