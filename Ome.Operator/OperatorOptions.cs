using System.ComponentModel.DataAnnotations;
using Ome.Shared.Domain;
using Ome.Shared.Settings;

namespace Ome.Operator;

/// <summary>Settings of the operator.</summary>
public sealed class OperatorOptions
{
    /// <summary>Namespace of the node ConfigMaps and of the lease.</summary>
    [Required]
    [Flag("namespace", "Namespace of the node reports and of the leader lease", Environment = "POD_NAMESPACE")]
    public string Namespace { get; set; } = OmeNames.DefaultNamespace;

    /// <summary>Address the endpoints listen on.</summary>
    [Required]
    [Flag("host", "Address that /healthz, /readyz and /metrics listen on")]
    public string Host { get; set; } = "0.0.0.0";

    /// <summary>Port of the endpoints; 0 takes a free one.</summary>
    [Range(0, 65535)]
    [Flag("port", "Port of /healthz, /readyz and /metrics; 0 takes a free one")]
    public int Port { get; set; } = 8080;

    /// <summary>A read-only page of models by nodes, on loopback only.</summary>
    [Flag("fleet-page", "Serve a read-only page of models by nodes at /, to loopback only: kubectl port-forward")]
    public bool FleetPage { get; set; }

    /// <summary>Only one of several replicas writes.</summary>
    [Flag("leader-elect", "Let one of several replicas write, the others stand by with a warm index")]
    public bool LeaderElect { get; set; } = true;

    /// <summary>Longest time without a leader after one died.</summary>
    [DurationRange("3s", "1m")]
    [Flag("leader-lease", "How long a leader that went silent is waited for")]
    public TimeSpan LeaderLease { get; set; } = TimeSpan.FromSeconds(12);

    /// <summary>Least time between two status writes of one model; the first change is written at once.</summary>
    [DurationRange("100ms", "1m")]
    [Flag("status-interval", "Least time between two status writes of one model; the first change is written at once")]
    public TimeSpan StatusInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Models worked on at once.</summary>
    [Range(1, 64)]
    [Flag("max-concurrent-reconciles", "Models of each kind that are worked on at once")]
    public int MaxConcurrentReconciles { get; set; } = 4;

    /// <summary>Least level of log lines.</summary>
    [AllowedValues("trace", "debug", "info", "warn", "error")]
    [Flag("log-level", "Least level of log lines", Environment = "LOG_LEVEL")]
    public string LogLevel { get; set; } = "info";

    /// <summary>Log lines as JSON.</summary>
    [Flag("log-json", "Write log lines as JSON")]
    public bool LogJson { get; set; }
}
