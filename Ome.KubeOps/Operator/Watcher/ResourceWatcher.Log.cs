using Microsoft.Extensions.Logging;

namespace KubeOps.Operator.Watcher;

internal partial class ResourceWatcher<TEntity>
{
    [LoggerMessage(9151, LogLevel.Warning, "Watching {EntityType} broke off; trying again in {Seconds:F1} s. {Remedy}")]
    private partial void LogBroken(Exception exception, string entityType, double seconds, string remedy);

    [LoggerMessage(9152, LogLevel.Information, "The server does not go on from resourceVersion {Version} of {EntityType} ({Cause}); listing again")]
    private partial void LogExpired(string entityType, string? version, string cause);

    [LoggerMessage(9153, LogLevel.Warning, "The watch of {EntityType} was silent for {Seconds} s; connecting again")]
    private partial void LogSilent(string entityType, double seconds);

    [LoggerMessage(9154, LogLevel.Error, "{EntityType} {Uid} at resourceVersion {Version} does not fit the class and is passed over")]
    private partial void LogMisfit(Exception exception, string entityType, string? uid, string? version);

    [LoggerMessage(9155, LogLevel.Error, "The watcher of {EntityType} stopped unexpectedly and will be started again")]
    private partial void LogFaulted(Exception exception, string entityType);
}
