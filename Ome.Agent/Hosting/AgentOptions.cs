using System.ComponentModel.DataAnnotations;
using Ome.Agent.Staging;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;
using Ome.Shared.Settings;

namespace Ome.Agent.Hosting;

/// <summary>The agent's settings: flags by their known names (contract 8.1) and our own. Unit, default and range stand with each.</summary>
public sealed class AgentOptions
{
    [Flag("node-name", "name of the node the agent runs on; NODE_NAME wins over the flag", Environment = "NODE_NAME")]
    [Required]
    public string NodeName { get; set; } = "";

    [Flag("namespace", "namespace of the node ConfigMaps and of Secrets of cluster models", Environment = "POD_NAMESPACE")]
    [Required]
    public string Namespace { get; set; } = OmeNames.DefaultNamespace;

    [Flag("models-root-dir", "directory all models lie under; the same path on the host and in the container", Environment = "OME_MODELS_ROOT")]
    [Required]
    public string ModelsRoot { get; set; } = "/mnt/models";

    [Flag("local-root-dirs", "further directories local:// models may lie under, comma separated; only read", Environment = "OME_LOCAL_ROOTS")]
    public IReadOnlyList<string> LocalRoots { get; set; } = [];

    [Flag("state-dir", "directory of manifests, ledgers and records; empty: .ome under the models root", Environment = "OME_STATE_DIR")]
    public string StateDirectory { get; set; } = "";

    [Flag("port", "port of /healthz, /livez, /readyz and /metrics", Environment = "OME_PORT")]
    [Range(0, 65535)]
    public int Port { get; set; } = 8080;

    [Flag("bind-address", "address the port is opened on", Environment = "OME_BIND_ADDRESS")]
    public string BindAddress { get; set; } = "0.0.0.0";

    [Flag("log-level", "lowest level that is logged", Environment = "LOG_LEVEL")]
    [AllowedValues("trace", "debug", "info", "warn", "warning", "error")]
    public string LogLevel { get; set; } = "info";

    [Flag("log-format", "json for machines, text for people", Environment = "OME_LOG_FORMAT")]
    [AllowedValues("json", "text")]
    public string LogFormat { get; set; } = "text";

    [Flag("instance-type-map", "JSON object of instance types to shape names, for TensorRT-LLM artifacts; empty: the built-in table", Environment = "INSTANCE_TYPE_MAP")]
    public string InstanceTypeMap { get; set; } = "";

    [Flag("hf-endpoint", "base address of the Hugging Face hub; HF_ENDPOINT is read too", Group = "Staging", Environment = "ENDPOINT")]
    public string HubEndpoint { get; set; } = "";

    [Flag("hf-token", "token for models that name none; better given in the variable", Group = "Staging", Environment = "HF_TOKEN", IsSecret = true)]
    public string HubToken { get; set; } = "";

    [Flag("num-download-worker", "models staged at the same time", Group = "Staging", Environment = "OME_DOWNLOAD_WORKERS")]
    [Range(1, 64)]
    public int DownloadWorkers { get; set; } = 5;

    [Flag("concurrency", "files of one model fetched at the same time", Group = "Staging", Environment = "OME_CONCURRENCY")]
    [Range(1, 64)]
    public int Concurrency { get; set; } = 4;

    [Flag("multipart-concurrency", "ranged requests per file", Group = "Staging", Environment = "OME_MULTIPART_CONCURRENCY")]
    [Range(1, 64)]
    public int MultipartConcurrency { get; set; } = 4;

    [Flag("download-retry", "accepted as OME's flag; a failed staging is tried again after a growing pause, without end", Group = "Staging", Environment = "DOWNLOAD_RETRY")]
    [Range(1, 100)]
    public int DownloadRetry { get; set; } = 3;

    [Flag("download-bytes-per-second", "most bytes fetched per second by the node; 0 for no limit", Group = "Staging", IsBytes = true, Environment = "OME_DOWNLOAD_BYTES_PER_SECOND")]
    [Range(0, long.MaxValue)]
    public long DownloadBytesPerSecond { get; set; }

    [Flag("free-space-reserve", "bytes of the models root that staging leaves free", Group = "Staging", IsBytes = true, Environment = "OME_FREE_SPACE_RESERVE")]
    [Range(0, long.MaxValue)]
    public long FreeSpaceReserve { get; set; } = StagingOptions.DefaultFreeSpaceReserve;

    [Flag("node-label-retry", "tries of a Kubernetes write before it waits for the next round", Group = "Reporting", Environment = "OME_NODE_LABEL_RETRY")]
    [Range(1, 100)]
    public int WriteRetry { get; set; } = 5;

    [Flag("report-heartbeat", "longest time between two writes of an unchanged check result", Group = "Reporting", Environment = "OME_REPORT_HEARTBEAT")]
    [DurationRange("1m", "7d")]
    public TimeSpan ReportHeartbeat { get; set; } = TimeSpan.FromHours(1);

    [Flag("integrity-mode", "what periodic checks do", Group = "Integrity", Environment = "OME_INTEGRITY_MODE")]
    public IntegrityMode IntegrityMode { get; set; } = IntegrityMode.Deep;

    [Flag("integrity-interval", "time between two Basic checks of a model", Group = "Integrity", Environment = "OME_INTEGRITY_INTERVAL")]
    [DurationRange("10s", "1d")]
    public TimeSpan IntegrityInterval { get; set; } = TimeSpan.FromMinutes(10);

    [Flag("integrity-deep-max-age", "longest time a byte stays unread", Group = "Integrity", Environment = "OME_INTEGRITY_DEEP_MAX_AGE")]
    [DurationRange("5m", "366d")]
    public TimeSpan DeepMaxAge { get; set; } = TimeSpan.FromDays(7);

    [Flag("integrity-start-jitter", "first checks spread over this time after a start", Group = "Integrity", Environment = "OME_INTEGRITY_START_JITTER")]
    [DurationRange("0s", "1d")]
    public TimeSpan StartJitter { get; set; } = TimeSpan.FromMinutes(5);

    [Flag("integrity-bytes-per-second", "most bytes read per second by routine checks of the node; 0 for no limit", Group = "Integrity", IsBytes = true, Environment = "OME_INTEGRITY_BYTES_PER_SECOND")]
    [Range(0, long.MaxValue)]
    public long IntegrityBytesPerSecond { get; set; } = 100_000_000;

    [Flag("integrity-workers", "reading workers; 0: as many as the cores and the measured hash rate suggest", Group = "Integrity", Environment = "OME_INTEGRITY_WORKERS")]
    [Range(0, 64)]
    public int IntegrityWorkers { get; set; }

    [Flag("integrity-digest", "digest of routine Deep passes: xxh128 sees accidents, sha256 also a forger", Group = "Integrity", Environment = "OME_INTEGRITY_DIGEST")]
    public PassDigest IntegrityDigest { get; set; } = PassDigest.Xxh128;

    [Flag("integrity-on-damage", "what follows from confirmed damage", Group = "Integrity", Environment = "OME_INTEGRITY_ON_DAMAGE")]
    public DamageAction OnDamage { get; set; } = DamageAction.Withdraw;

    [Flag("integrity-watch", "let the kernel tell of changes, so that damage is seen in under a second", Group = "Integrity", Environment = "OME_INTEGRITY_WATCH")]
    public bool Watch { get; set; } = true;

    [Flag("integrity-settle-delay", "how long an absence must last before it counts", Group = "Integrity", Environment = "OME_INTEGRITY_SETTLE_DELAY")]
    [DurationRange("0s", "5m")]
    public TimeSpan SettleDelay { get; set; } = TimeSpan.FromMilliseconds(300);

    [Flag("max-withdrawals", "nodes that may lose a model within the window before further withdrawals are held: N, N% of those that had it, or N,X%; none for no limit", Group = "Integrity", Environment = "OME_MAX_WITHDRAWALS")]
    public string MaxWithdrawals { get; set; } = "none";

    [Flag("max-withdrawals-window", "window of max-withdrawals", Group = "Integrity", Environment = "OME_MAX_WITHDRAWALS_WINDOW")]
    [DurationRange("1m", "7d")]
    public TimeSpan MaxWithdrawalsWindow { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The policy of a model that sets nothing itself.</summary>
    public VerificationPolicy Policy => new()
    {
        Mode = IntegrityMode,
        OnDamage = OnDamage,
        Digest = IntegrityDigest,
        Interval = IntegrityInterval,
        DeepMaxAge = DeepMaxAge,
        BytesPerSecond = IntegrityBytesPerSecond,
        SettleDelay = SettleDelay,
        StartJitter = StartJitter,
    };

    /// <summary>Shape names of instance types: <see cref="InstanceTypeMap"/>, else the built-in table. Null when the map cannot be read.</summary>
    public NodeShapes? Shapes => NodeShapes.TryParse(InstanceTypeMap, out var shapes, out _) ? shapes : null;

    /// <summary>What links of a model in this directory may not leave: the models root for one below it, null for the directory itself.</summary>
    public string? BoundaryOf(string directory)
    {
        var root = ModelsRoot.TrimEnd('/');
        return directory.StartsWith(root + "/", StringComparison.Ordinal) ? root : null;
    }

    /// <summary>Where state lies: <see cref="StateDirectory"/>, else <c>.ome</c> under the models root.</summary>
    public string EffectiveStateDirectory => StateDirectory.Length > 0 ? StateDirectory : Path.Combine(ModelsRoot, ".ome");
}
