using System.ComponentModel.DataAnnotations;
using Ome.Shared.Settings;

namespace Ome.Agent.Verification.Reading;

/// <summary>Settings of the reading engine.</summary>
public sealed class ReadEngineOptions
{
    /// <summary>
    /// Readers at work at once; 0 (default) = as many as a fast disk (8 GiB/s) needs at the SHA-256 rate measured at start, at most the cores
    /// that affinity and cgroup allow, at least four.
    /// </summary>
    [Range(0, 256)]
    public int Workers { get; set; }

    /// <summary>Longest a single call to the file system may take before its file is given up as TimedOut. Default 60 s.</summary>
    [DurationRange("50ms", "1h")]
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Threads that may hang in the kernel before the engine starts no replacement for the next. Default 16.</summary>
    [Range(0, 64)]
    public int MaxAbandoned { get; set; } = 16;

    /// <summary>As many threads hang in one mount when nothing more is asked of it: other mounts are still served. Default 2.</summary>
    [Range(1, 64)]
    public int MaxAbandonedPerMount { get; set; } = 2;

    /// <summary>True (default): reader threads run at nice 10 with idle I/O priority, so that loading a model goes first.</summary>
    public bool Background { get; set; } = true;

    /// <summary>After this long without work a worker's threads end and its buffers (8 MiB) are given back. Default 10 s.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Files smaller than this are read through the page cache in one go, without read-ahead thread. Default 8 MiB.</summary>
    [Range(0, long.MaxValue)]
    public long SmallFile { get; set; } = 8L * 1024 * 1024;
}
