using Ome.Agent.Integrity;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;
using Prometheus;

namespace Ome.Agent.Hosting;

/// <summary>The agent's instruments: one method per fact. Names of contract 8.3 and OEP-0011 first, ours after them; per-file names are never labels.</summary>
public sealed class AgentMetrics : IIntegrityObserver
{
    private static readonly string[] Model = ["model_type", "namespace", "name"];
    private static readonly string[] Check = [.. Model, "mode", "storage_type", "result"];
    private static readonly double[] CheckSeconds = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600, 14400];

    private readonly Counter _downloadsSucceeded;
    private readonly Counter _downloadsFailed;
    private readonly Counter _checksumFailed;
    private readonly Counter _verifications;
    private readonly Counter _downloadBytes;
    private readonly Counter _rateLimits;
    private readonly Histogram _downloadSeconds;
    private readonly Histogram _verificationSeconds;
    private readonly Counter _checks;
    private readonly Histogram _checkSeconds;
    private readonly Counter _checkedBytes;
    private readonly Counter _flickers;
    private readonly Counter _withdrawals;
    private readonly Counter _readmissions;
    private readonly Gauge _oldestProof;
    private readonly Gauge _suspects;
    private readonly Gauge _damaged;

    public AgentMetrics(IMetricFactory metrics)
    {
        _downloadsSucceeded = metrics.CreateCounter("model_agent_downloads_success_total", "Models staged.", Model);
        _downloadsFailed = metrics.CreateCounter("model_agent_downloads_failed_total", "Stagings that failed.", [.. Model, "reason"]);
        _checksumFailed = metrics.CreateCounter("model_agent_md5_checksum_failed_total", "Verifications of a model that found wrong bytes.", Model);
        _verifications = metrics.CreateCounter("model_agent_verifications_total", "Verifications of a model by outcome.", [.. Model, "result"]);
        _downloadBytes = metrics.CreateCounter("model_agent_download_bytes_total", "Bytes received from model sources.", Model);
        _rateLimits = metrics.CreateCounter("model_agent_rate_limit_total", "Stagings a source told to wait.", Model);
        _downloadSeconds = metrics.CreateHistogram("model_agent_download_duration_seconds", "Time a staging took.", Model, new HistogramConfiguration { Buckets = [1, 3, 10, 30, 100, 300, 1000, 3600, 14400] });
        _verificationSeconds = metrics.CreateHistogram("model_agent_verification_duration_seconds", "Time a verification took.", new HistogramConfiguration { Buckets = CheckSeconds });
        _checks = metrics.CreateCounter("model_agent_ready_artifact_check_results_total", "Checks of Ready models by outcome.", [.. Check, "reason"]);
        _checkSeconds = metrics.CreateHistogram("model_agent_ready_artifact_check_duration_seconds", "Time a check of a Ready model took.", Check, new HistogramConfiguration { Buckets = CheckSeconds });
        _checkedBytes = metrics.CreateCounter("model_agent_ready_artifact_bytes_checked_total", "Bytes of Ready models read and compared.", [.. Model, "mode", "storage_type"]);
        _flickers = metrics.CreateCounter("model_agent_integrity_flickers_total", "Doubts that a second look cleared: memory, cache or medium that errs now and then.", Model);
        _withdrawals = metrics.CreateCounter("model_agent_integrity_withdrawals_total", "Models withdrawn from the node after confirmed damage.", [.. Model, "reason"]);
        _readmissions = metrics.CreateCounter("model_agent_integrity_readmissions_total", "Models advertised again after a full check.", Model);
        _oldestProof = metrics.CreateGauge("model_agent_integrity_oldest_proof_timestamp_seconds", "When the byte that waited longest was last proven, Unix time.", Model);
        _suspects = metrics.CreateGauge("model_agent_integrity_suspect_findings", "Findings of the newest check of a model.", Model);
        _damaged = metrics.CreateGauge("model_agent_integrity_damaged", "1 while a model's files are known to be damaged on this node.", Model);
    }

    public void Staged(ModelKey key, long bytesFetched, TimeSpan duration)
    {
        var labels = Labels(key);
        _downloadsSucceeded.WithLabels(labels).Inc();
        _downloadBytes.WithLabels(labels).Inc(bytesFetched);
        _downloadSeconds.WithLabels(labels).Observe(duration.TotalSeconds);
    }

    public void StagingFailed(ModelKey key, string reason)
    {
        _downloadsFailed.WithLabels([.. Labels(key), reason]).Inc();
        if (reason == nameof(Staging.StagingFailureReason.RateLimited)) _rateLimits.WithLabels(Labels(key)).Inc();
    }

    public void Withdrawn(ModelKey key, string reason) => _withdrawals.WithLabels([.. Labels(key), reason]).Inc();

    public void Readmitted(ModelKey key) => _readmissions.WithLabels(Labels(key)).Inc();

    public void Checked(ModelKey key, ModelSpec spec, CheckReport report)
    {
        var labels = Labels(key);
        string[] check = [.. labels, report.Mode.ToString(), StorageType(spec), report.Verdict.Result.ToString()];
        _checks.WithLabels([.. check, report.Verdict.Reason?.ToString() ?? "Intact"]).Inc();
        _checkSeconds.WithLabels(check).Observe(report.Duration.TotalSeconds);
        _checkedBytes.WithLabels([.. labels, report.Mode.ToString(), StorageType(spec)]).Inc(report.BytesChecked);
        _verifications.WithLabels([.. labels, report.Verdict.Result == CheckResult.Invalid ? "failure" : "success"]).Inc();
        _verificationSeconds.Observe(report.Duration.TotalSeconds);
        if (report.Verdict.Reason == FindingReason.DigestMismatch) _checksumFailed.WithLabels(labels).Inc();
        if (report.Flickers > 0) _flickers.WithLabels(labels).Inc(report.Flickers);
        if (report.OldestProof is { } proof) _oldestProof.WithLabels(labels).Set(proof.ToUnixTimeSeconds());
        _suspects.WithLabels(labels).Set(report.Verdict.Findings.Length);
        _damaged.WithLabels(labels).Set(report.Verdict.Result == CheckResult.Invalid ? 1 : 0);
    }

    public void Unverifiable(ModelKey key, ModelSpec spec, FindingReason reason) =>
        _checks.WithLabels([.. Labels(key), nameof(CheckMode.Basic), StorageType(spec), nameof(CheckResult.Inconclusive), reason.ToString()]).Inc();

    /// <summary>The model is gone: its series go with it.</summary>
    public void Forget(ModelKey key)
    {
        foreach (var gauge in new[] { _oldestProof, _suspects, _damaged }) gauge.RemoveLabelled(Labels(key));
    }

    private static string[] Labels(ModelKey key) => [key.Kind.ToString(), key.Namespace, key.Name];

    private static string StorageType(ModelSpec spec)
    {
        var end = spec.StorageUri.IndexOf(':', StringComparison.Ordinal);
        return end is > 0 and < 12 ? spec.StorageUri[..end] : "unknown";
    }
}
