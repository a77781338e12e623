using Microsoft.Extensions.Logging;

namespace Ome.Shared.Kube;

public sealed partial class Informer<T, TItem>
{
    [LoggerMessage(2100, LogLevel.Debug, "Listed {Count} {Resource}")]
    private partial void LogListed(string resource, int count);

    [LoggerMessage(2101, LogLevel.Information, "Watch of {Resource} was interrupted: {Cause}. Trying again in {Delay:0.0} s")]
    private partial void LogInterrupted(string resource, string cause, double delay);

    [LoggerMessage(2102, LogLevel.Warning, "Cannot watch {Resource}: {Cause} (failure {Failures} in a row). Trying again in {Delay:0.0} s. {Remedy}")]
    private partial void LogTrouble(string resource, string cause, int failures, double delay, string remedy);

    [LoggerMessage(2103, LogLevel.Information, "Watch of {Resource} is healthy again after {Failures} failures")]
    private partial void LogRecovered(string resource, int failures);

    [LoggerMessage(2104, LogLevel.Error, "Handling {Change} of {Resource} {Name} failed; it will be delivered again")]
    private partial void LogHandlerFailed(Exception error, string resource, string name, InformerEventType change);

    [LoggerMessage(2105, LogLevel.Warning, "{Resource} {Name} (resourceVersion {Version}) cannot be read: {Problem}. What was known of it stands; the others are not affected. Correct or delete the object, and apply config/crd, which does not let such in.")]
    private partial void LogMisfit(string resource, string name, string version, string problem);
}
