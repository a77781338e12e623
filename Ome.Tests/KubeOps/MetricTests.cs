using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using KubeOps.Abstractions.Builder;
using Ome.Tests.KubeOpsApi.Support;
using Result = KubeOps.Abstractions.Reconciliation.ReconciliationResult<Ome.Tests.KubeOpsApi.Support.Widget>;

namespace Ome.Tests.KubeOpsApi;

public sealed class MetricTests : WidgetFixture
{
    [Test, CancelAfter(Limit)]
    public async Task Events_queue_and_runs_are_counted_on_a_meter_named_like_the_operator(CancellationToken cancellationToken)
    {
        var name = "operator-" + Namespace;
        var seen = new ConcurrentQueue<(string Instrument, Dictionary<string, object?> Tags)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, to) =>
        {
            if (instrument.Meter.Name == name) to.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Note(instrument, tags));
        listener.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Note(instrument, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Note(instrument, tags));
        listener.Start();
        var log = new WidgetLog();
        log.OnReconcile = (widget, _) => log.Count("reconcile", "a") == 1 ? throw new InvalidDataException("broken on purpose") : Task.FromResult(Result.Success(widget));
        var running = await StartAsync(cancellationToken, settings => settings.WithName(name), log: log);
        await running.WaitUntilCaughtUpAsync(Plane, Namespace, cancellationToken);

        await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        for (var run = 0; run < 2; run++) await log.NextAsync("reconcile", "a", cancellationToken);

        await UntilAsync("kubeops.operator.watcher.events", "kubeops.watcher.event.type", "added");
        await UntilAsync("kubeops.operator.queue.enqueued", "kubeops.trigger.source", "api_server");
        await UntilAsync("kubeops.operator.queue.requeued", "kubeops.requeue.reason", "error_retry");
        await UntilAsync("kubeops.operator.reconciliation", "error.type", typeof(InvalidDataException).FullName!);
        await UntilAsync("kubeops.operator.reconciliation.duration", "kubeops.reconciliation.status", "success");
        listener.RecordObservableInstruments();
        await UntilAsync("kubeops.operator.queue.depth", "kubeops.queue.state", "scheduled");
        seen.Should().OnlyContain(item => (string?)item.Tags["kubeops.entity.type"] == nameof(Widget));

        void Note(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags) => seen.Enqueue((instrument.Name, tags.ToArray().ToDictionary()));

        async Task UntilAsync(string instrument, string tag, string value)
        {
            while (!seen.Any(item => item.Instrument == instrument && value.Equals(item.Tags.GetValueOrDefault(tag))))
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        }
    }
}
