using Ome.Agent.Repair;

namespace Ome.Agent.Staging;

/// <summary>Gives back in the background what removals moved aside, and evidence that is too old.</summary>
internal sealed class TrashCollector(Trash trash, Quarantine quarantine, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan EvidenceInterval = TimeSpan.FromHours(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(trash.RunAsync(stoppingToken), SweepAsync(stoppingToken));

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(EvidenceInterval, time);
        do
        {
            await Task.Run(() => quarantine.TrySweep(), cancellationToken).ConfigureAwait(false);
        }
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
    }
}
