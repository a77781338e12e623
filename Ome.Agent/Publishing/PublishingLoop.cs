namespace Ome.Agent.Publishing;

/// <summary>Runs the publisher for as long as the agent lives.</summary>
public sealed class PublishingLoop(ReportPublisher publisher) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => publisher.RunAsync(stoppingToken);
}
