using System.ComponentModel.DataAnnotations;
using Ome.Shared.Settings;

namespace Ome.Agent.Repair;

/// <summary>Settings of repair.</summary>
public sealed class RepairOptions
{
    /// <summary>Bytes of damaged files kept as evidence. Default 16 GiB.</summary>
    [Range(0, long.MaxValue)]
    public long QuarantineBytes { get; set; } = 16L << 30;

    /// <summary>How long they are kept. Default 24 h.</summary>
    [DurationRange("0s", "365d")]
    public TimeSpan QuarantineAge { get; set; } = TimeSpan.FromHours(24);
}
