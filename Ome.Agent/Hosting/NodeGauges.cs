using Ome.Agent.Models;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Reporting;
using Prometheus;

namespace Ome.Agent.Hosting;

/// <summary>What the node's agent holds and waits for, looked up when the metrics are read.</summary>
public sealed class NodeGauges
{
    private static readonly NodeModelState[] States = [NodeModelState.Ready, NodeModelState.Updating, NodeModelState.Failed];

    /// <summary>A models root that hangs must not hang the scrape: the last figure stands.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly AgentOptions _options;
    private readonly Gauge _freeBytes;
    private Task _look = Task.CompletedTask;

    public NodeGauges(CollectorRegistry registry, IMetricFactory metrics, AgentOptions options, ModelQueue queue, StagingTurns turns, ModelRecordStore records, ModelCatalog catalog, IoBudget budget, ReadEngine engine, TimeProvider time)
    {
        _options = options;
        var depth = metrics.CreateGauge("model_agent_task_queue_depth", "Models whose turn has come and who wait for it, to be staged or removed.");
        var workers = metrics.CreateGauge("model_agent_active_workers", "Stagings under way; at most --num-download-worker.");
        var models = metrics.CreateGauge("model_agent_models", "Models of this node, by what it says of them.", ["state"]);
        var unreadable = metrics.CreateGauge("model_agent_models_unreadable", "Models whose objects in the API server cannot be read: an old CRD let them in. What was known of them stands.");
        var throttle = metrics.CreateCounter("model_agent_integrity_throttle_wait_seconds_total", "Time readers waited for the byte budget of checks.");
        var hung = metrics.CreateGauge("model_agent_reader_threads_hung", "Threads of checks that a mount does not give back; each was given up after its timeout.");
        _freeBytes = metrics.CreateGauge("model_agent_models_root_free_bytes", "Bytes free on the file system of the models root.");
        registry.AddBeforeCollectCallback(() =>
        {
            depth.Set(queue.Due + turns.Waiting);
            workers.Set(turns.Running);
            hung.Set(engine.Abandoned);
            unreadable.Set(catalog.Unreadable);
            throttle.IncTo(budget.Waited.TotalSeconds);
            var counts = records.All.CountBy(record => record.State).ToDictionary();
            foreach (var state in States) models.WithLabels(state.ToWire()).Set(counts.GetValueOrDefault(state));
        });
        registry.AddBeforeCollectCallback(async cancellationToken =>
        {
            if (_look.IsCompleted) _look = Task.Run(LookAtRoot, CancellationToken.None);
            await _look.WaitAsync(Patience, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
    }

    private void LookAtRoot()
    {
        try
        {
            _freeBytes.Set(new DriveInfo(_options.ModelsRoot).AvailableFreeSpace);
        }
        catch (Exception unavailable) when (unavailable is IOException or UnauthorizedAccessException)
        {
            // /healthz says that the root is not there.
            _freeBytes.Set(0);
        }
    }
}
