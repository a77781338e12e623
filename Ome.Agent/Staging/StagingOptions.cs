using System.ComponentModel.DataAnnotations;
using Ome.Shared.Settings;

namespace Ome.Agent.Staging;

/// <summary>Settings of staging.</summary>
public sealed class StagingOptions
{
    /// <summary>What is left free by default, in bytes: 1 GiB.</summary>
    public const long DefaultFreeSpaceReserve = 1L << 30;

    /// <summary>Files of one model fetched at once. Default 8.</summary>
    [Range(1, 64)]
    public int ParallelFiles { get; set; } = 8;

    /// <summary>Connections of the whole agent to sources at once. Default 8; each holds 2 MiB of buffers.</summary>
    [Range(1, 64)]
    public int Connections { get; set; } = 8;

    /// <summary>Connections one large file may use when fewer files than <see cref="Connections"/> are left. Default 4.</summary>
    [Range(1, 16)]
    public int ConnectionsPerFile { get; set; } = 4;

    /// <summary>Bytes a second over all downloads; 0 (default) = unlimited.</summary>
    [Range(0, long.MaxValue)]
    public long BytesPerSecond { get; set; }

    /// <summary>Bytes of the models' file system that staging leaves free. Default <see cref="DefaultFreeSpaceReserve"/>.</summary>
    [Range(0, long.MaxValue)]
    public long FreeSpaceReserve { get; set; } = DefaultFreeSpaceReserve;

    /// <summary>A body that gives less than 64 KiB in this time is given up and opened again where it stopped. Default 30 s.</summary>
    [DurationRange("50ms", "1h")]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Reconnects in a row that brought nothing before the source counts as unavailable; eight that brought less than 64 KiB count as one. Default 8.</summary>
    [Range(0, 1000)]
    public int FruitlessReconnects { get; set; } = 8;

    /// <summary>Pause before the first fruitless reconnect; doubles up to 30 s. Default 500 ms.</summary>
    [DurationRange("0s", "10m")]
    public TimeSpan ReconnectDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Between the first two looks at a local model whose files are new: only what stood still meanwhile is taken. Default 300 ms.</summary>
    [DurationRange("0s", "5m")]
    public TimeSpan SettleDelay { get; set; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Time between two progress reports of a model, unless 5 % more was done. Default 30 s (contract 4.11).</summary>
    [DurationRange("0s", "1h")]
    public TimeSpan ProgressInterval { get; set; } = TimeSpan.FromSeconds(30);
}
