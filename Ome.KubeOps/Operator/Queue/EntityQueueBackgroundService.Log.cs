using KubeOps.Abstractions.Reconciliation;
using Microsoft.Extensions.Logging;

namespace KubeOps.Operator.Queue;

public partial class EntityQueueBackgroundService<TEntity>
{
    [LoggerMessage(9111, LogLevel.Debug, "Nothing to do for {Namespace}/{Name}: it is gone, or another object has its name now")]
    private partial void LogVanished(string @namespace, string name);

    [LoggerMessage(9112, LogLevel.Error, "The consumer of {EntityType} stopped unexpectedly and will be started again")]
    private partial void LogLoopFaulted(Exception exception, string entityType);

    [LoggerMessage(9113, LogLevel.Warning, "Reconciling ({EventType}) {EntityType} {Namespace}/{Name} failed: {Message}")]
    private partial void LogFailed(Exception? exception, ReconciliationType eventType, string entityType, string? @namespace, string name, string? message);
}
