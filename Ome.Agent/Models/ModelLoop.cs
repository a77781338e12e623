using Ome.Shared.Domain.Models;

namespace Ome.Agent.Models;

/// <summary>Works off the queue of models for as long as the agent lives.</summary>
public sealed partial class ModelLoop(ModelQueue queue, ModelWorker worker, ILogger<ModelLoop> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        queue.RunAsync(worker.ProcessAsync, (key, error) => LogFailed(error, key), stoppingToken);

    [LoggerMessage(EventId = 2501, Level = LogLevel.Warning, Message = "{Model} could not be brought to what is wanted; tried again soon")]
    private partial void LogFailed(Exception error, ModelKey model);
}
