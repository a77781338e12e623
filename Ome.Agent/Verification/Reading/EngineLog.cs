namespace Ome.Agent.Verification.Reading;

/// <summary>What the reading engine says.</summary>
internal static partial class EngineLog
{
    [LoggerMessage(EventId = 5201, Level = LogLevel.Warning,
        Message = "A {Pool} thread has been in one file system call for over {Timeout}: it is given up (now {Abandoned}); the mount may hang")]
    public static partial void WorkerAbandoned(ILogger logger, string pool, TimeSpan timeout, int abandoned);

    [LoggerMessage(EventId = 5202, Level = LogLevel.Information,
        Message = "SHA-256 runs at {MiBPerSecond} MiB/s per core here, {Cores} cores allowed: {Workers} readers at most")]
    public static partial void Calibrated(ILogger logger, long miBPerSecond, int cores, int workers);

    [LoggerMessage(EventId = 5203, Level = LogLevel.Warning,
        Message = "SHA-256 runs at only {MiBPerSecond} MiB/s per core: this CPU has no SHA instructions, or OpenSSL does not use them")]
    public static partial void SlowSha256(ILogger logger, long miBPerSecond);
}
