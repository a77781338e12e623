using Ome.Agent.Hosting;
using Ome.Agent.Models;

namespace Ome.Agent.Integrity;

/// <summary>First checks after a start: spread over the jitter, or all at once when the last run was cut off.</summary>
public sealed class BootSchedule(ModelRecordStore records, IntegrityService integrity, RunMarker marker) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var record in records.All.Where(record => record.Phase is ModelPhase.Ready or ModelPhase.Withdrawn))
        {
            integrity.Schedule(record.Key, marker.LastRunWasCutOff || record.Phase == ModelPhase.Withdrawn);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
