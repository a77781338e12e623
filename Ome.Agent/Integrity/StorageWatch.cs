using Ome.Agent.Hosting;
using Ome.Agent.Models;
using Ome.Agent.Publishing;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Integrity;

/// <summary>
/// Says on the Node when its disks go bad. Derived from the durable records alone: a restart, or a condition that somebody removed, leads to the same
/// answer. Looks when a record changed, never by the clock, except for the heartbeat of a degraded node.
/// </summary>
public sealed partial class StorageWatch(
    ModelRecordStore records, ManifestStore manifests, NodeConditionSink node, AgentMetrics metrics, AgentOptions options, TimeProvider time,
    ILogger<StorageWatch> logger) : BackgroundService
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromMinutes(1);

    private readonly Wake _changed = new();
    private volatile StorageHealth? _said;

    /// <summary>What the Node shows now, as its watch has it.</summary>
    public void NodeShows(string? status)
    {
        // Somebody else's doing, or a Node created anew: it is told again.
        if (_said is not { } said || status == (said.IsDegraded ? "True" : "False")) return;
        _said = null;
        Look();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        records.Changed += OnRecordChanged;
        try
        {
            for (var failures = 0; ;)
            {
                var health = StorageHealth.Of(Damaged());
                metrics.StorageDegraded(health.IsDegraded);
                failures = await SayAsync(health, stoppingToken) ? 0 : failures + 1;
                await _changed.WaitAsync(failures > 0 ? Pause(failures) : health.IsDegraded ? options.ReportHeartbeat : Timeout.InfiniteTimeSpan, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            records.Changed -= OnRecordChanged;
        }
    }

    private void OnRecordChanged(object? sender, EventArgs change) => Look();

    private void Look() => _changed.Call();

    private IEnumerable<DamagedModel> Damaged() => records.All.Where(IsDamaged).Select(record => new DamagedModel(
        record.Key.ToString(), DeviceOf(record), record.ReadErrors >= ModelRecord.PersistentReadErrors));

    private static bool IsDamaged(ModelRecord record) =>
        record.Phase == ModelPhase.Withdrawn || (record.Phase == ModelPhase.Ready && record.Validation?.Result == ValidationResults.Invalid);

    private ulong? DeviceOf(ModelRecord record) =>
        manifests.Open(record.Key, new SourceIdentity(record.StorageUri, record.StoragePath, null)).State?.Manifest.Entries is [var first, ..] ? first.Stamp.Device : null;

    private async Task<bool> SayAsync(StorageHealth health, CancellationToken cancellationToken)
    {
        if (_said == health && !health.IsDegraded) return true;
        try
        {
            await node.ApplyAsync(health, options.ReportHeartbeat, cancellationToken);
            if (_said != health && (health.IsDegraded || _said is not null)) LogSaid(health.Reason, health.Message);
            _said = health;
            return true;
        }
        catch (Exception refused) when (refused is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogNotSaid(ApiError.Describe(refused));
            return false;
        }
    }

    private static TimeSpan Pause(int failures) => TimeSpan.FromTicks(Math.Min(LastRetry.Ticks, FirstRetry.Ticks << Math.Min(failures - 1, 10)));

    [LoggerMessage(EventId = 2231, Level = LogLevel.Warning, Message = "Condition ModelStorageDegraded of the Node: {Reason}: {Text}")]
    private partial void LogSaid(string reason, string text);

    [LoggerMessage(EventId = 2232, Level = LogLevel.Warning, Message = "Condition ModelStorageDegraded is not written: {Problem}; tried again soon")]
    private partial void LogNotSaid(string problem);
}
