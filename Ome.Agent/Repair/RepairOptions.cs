using System.ComponentModel.DataAnnotations;

namespace Ome.Agent.Repair;

/// <summary>Settings of repair.</summary>
public sealed class RepairOptions
{
    /// <summary>Bytes of damaged files kept as evidence. Default 16 GiB.</summary>
    [Range(0, long.MaxValue)]
    public long QuarantineBytes { get; set; } = 16L << 30;

    /// <summary>How long they are kept. Default 24 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "365.00:00:00")]
    public TimeSpan QuarantineAge { get; set; } = TimeSpan.FromHours(24);
}
