namespace Ome.LocalCluster;

/// <summary>How a local control plane is started.</summary>
public sealed record LocalClusterOptions
{
    /// <summary>HTTPS port on loopback; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>Plain HTTP port on loopback; 0 takes a free one, null opens none.</summary>
    public int? HttpPort { get; init; } = 0;

    /// <summary>Bearer token of the administrator; null makes a random one.</summary>
    public string? AdminToken { get; init; }

    /// <summary>Judge service-account tokens by Roles and ClusterRoles. Off: every authenticated request is allowed.</summary>
    public bool EnforceRbac { get; init; }

    /// <summary>Changes remembered per kind; older watches and continues get 410. Default 10,000.</summary>
    public int HistoryPerKind { get; init; } = 10_000;

    /// <summary>Time between bookmarks on a watch, however busy its kind. Default 1 minute, as kube-apiserver does.</summary>
    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Clock of timestamps, timeouts, bookmarks and latency faults.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
