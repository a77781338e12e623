using Ome.Shared.Domain.Models;

namespace Ome.Agent.Staging;

public sealed partial class ArtifactStager
{
    [LoggerMessage(4000, LogLevel.Information, "Staging {Model}: {Files} files, {Bytes} bytes at revision {Revision}")]
    private partial void LogStaging(ModelKey model, int files, long bytes, string? revision);

    [LoggerMessage(4001, LogLevel.Information, "Staged {Model}: {Bytes} bytes, {Fetched} fetched, {Reused} already there, {Reconnects} reconnects")]
    private partial void LogStaged(ModelKey model, long bytes, long fetched, long reused, int reconnects);

    [LoggerMessage(4004, LogLevel.Information, "{Model}: {Files} files, {Path} first, are published without a digest: they are held to their size, and from now on to our own SHA-256")]
    private partial void LogBySize(ModelKey model, int files, string path);

    [LoggerMessage(4002, LogLevel.Warning, "Staging {Model} failed: {Reason}: {Message} ({Path})")]
    private partial void LogFailed(ModelKey model, StagingFailureReason reason, string message, string? path);
}
