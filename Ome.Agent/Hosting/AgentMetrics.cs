using Ome.Agent.Integrity;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;
using Prometheus;

namespace Ome.Agent.Hosting;

/// <summary>The instruments of checks, one method per fact. Names of contract 8.3 and OEP-0011 first, ours after them; per-file names are never labels.</summary>
public sealed class AgentMetrics(IMetricFactory metrics, AgentOptions options) : IIntegrityObserver
{
    private static readonly string[] Model = ModelLabels.Names;
    private static readonly string[] Check = [.. Model, "mode", "storage_type", "result"];

    // OME's buckets (0.1 s doubling ten times) and those below and above, from a look at a few stamps to a pass over terabytes.
    private static readonly HistogramConfiguration Seconds = new() { Buckets = [0.001, 0.003, 0.01, 0.03, .. Histogram.ExponentialBuckets(0.1, 2, 10), 100, 300, 1000, 3600, 14400] };

    private readonly Counter _checksumFailed = metrics.CreateCounter("model_agent_md5_checksum_failed_total", "Verifications of a model that found wrong bytes.", Model);
    private readonly Counter _verifications = metrics.CreateCounter("model_agent_verifications_total", "Verifications of a model by outcome; those that could not look are not counted.", [.. Model, "result"]);
    private readonly Histogram _verificationSeconds = metrics.CreateHistogram("model_agent_verification_duration_seconds", "Time a verification took.", Seconds);
    private readonly Counter _checks = metrics.CreateCounter("model_agent_ready_artifact_check_results_total", "Checks of Ready models by outcome.", [.. Check, "reason"]);
    private readonly Histogram _checkSeconds = metrics.CreateHistogram("model_agent_ready_artifact_check_duration_seconds", "Time a check of a Ready model took.", Check, Seconds);
    private readonly Counter _checkedBytes = metrics.CreateCounter("model_agent_ready_artifact_bytes_checked_total", "Bytes of Ready models read and compared.", Check);
    private readonly Counter _flickers = metrics.CreateCounter("model_agent_integrity_flickers_total", "Doubts that a second look cleared: memory, cache or medium that errs now and then.", Model);
    private readonly Counter _withdrawals = metrics.CreateCounter("model_agent_integrity_withdrawals_total", "Models withdrawn from the node after confirmed damage.", [.. Model, "reason"]);
    private readonly Counter _readmissions = metrics.CreateCounter("model_agent_integrity_readmissions_total", "Models advertised again after a full check.", Model);
    private readonly Counter _repairs = metrics.CreateCounter("model_agent_repairs_total", "Repairs of a model by outcome: repaired, restaged, failed, impossible.", [.. Model, "result"]);
    private readonly Counter _overflows = metrics.CreateCounter("model_agent_watch_overflows_total", "Times the kernel's events came faster than they were taken; each costs one look at the model.");
    private readonly Gauge _unwatched = metrics.CreateGauge("model_agent_watch_missing", "1 while the kernel refuses to tell of changes below a model's directory: only its scheduled checks see them.", Model);
    private readonly Gauge _storage = metrics.CreateGauge("model_agent_storage_degraded", "1 while the Node's condition ModelStorageDegraded is True.");
    private readonly Gauge _held = metrics.CreateGauge("model_agent_integrity_withdrawals_held", "1 while a damaged model stays Ready because --max-withdrawals holds it.", Model);
    private readonly Gauge _oldestProof = metrics.CreateGauge("model_agent_integrity_oldest_proof_timestamp_seconds", "When the byte that waited longest was last proven, Unix time.", Model);
    private readonly Gauge _deepMaxAge = metrics.CreateGauge("model_agent_integrity_deep_max_age_seconds", "Longest time a byte of a model may stay unread; absent where checks do not read every byte.", Model);
    private readonly Gauge _suspects = metrics.CreateGauge("model_agent_integrity_suspects", "Models in which the kernel told of a change, and that were not looked at since.");
    private readonly Gauge _findings = metrics.CreateGauge("model_agent_integrity_suspect_findings", "Findings of the newest check of a model.", Model);
    private readonly Gauge _damaged = metrics.CreateGauge("model_agent_integrity_damaged", "1 while a model's files are known to be damaged on this node.", Model);

    public void Checked(ModelKey key, ModelSpec spec, CheckReport report)
    {
        var labels = ModelLabels.Of(key);
        string[] check = [.. labels, report.Mode.ToString(), StorageType(spec), report.Verdict.Result.ToString()];
        _checks.WithLabels([.. check, report.Verdict.Reason?.ToString() ?? "Intact"]).Inc();
        _checkSeconds.WithLabels(check).Observe(report.Duration.TotalSeconds);
        _checkedBytes.WithLabels(check).Inc(report.BytesChecked);
        _verificationSeconds.Observe(report.Duration.TotalSeconds);
        if (report.Verdict.Result != CheckResult.Inconclusive) _verifications.WithLabels([.. labels, report.Verdict.Result == CheckResult.Valid ? "success" : "failure"]).Inc();
        if (report.Verdict.Reason == FindingReason.DigestMismatch) _checksumFailed.WithLabels(labels).Inc();
        if (report.Flickers > 0) _flickers.WithLabels(labels).Inc(report.Flickers);
        if (report.OldestProof is { } proof) _oldestProof.WithLabels(labels).Set(proof.ToUnixTimeSeconds());
        var policy = PolicyReader.Read(options.Policy, spec.Integrity).Policy;
        if (policy.Mode == IntegrityMode.Deep) _deepMaxAge.WithLabels(labels).Set(policy.DeepMaxAge.TotalSeconds);
        else _deepMaxAge.RemoveLabelled(labels);
        _findings.WithLabels(labels).Set(report.Verdict.Findings.Length);
        // A check that could not look says nothing of what an earlier one proved.
        if (report.Verdict.Result != CheckResult.Inconclusive) _damaged.WithLabels(labels).Set(report.Verdict.Result == CheckResult.Invalid ? 1 : 0);
    }

    public void Unverifiable(ModelKey key, ModelSpec spec, FindingReason reason) =>
        _checks.WithLabels([.. ModelLabels.Of(key), nameof(CheckMode.Basic), StorageType(spec), nameof(CheckResult.Inconclusive), reason.ToString()]).Inc();

    public void Withdrawn(ModelKey key, string reason) => _withdrawals.WithLabels([.. ModelLabels.Of(key), reason]).Inc();

    public void Readmitted(ModelKey key) => _readmissions.WithLabels(ModelLabels.Of(key)).Inc();

    public void Held(ModelKey key, bool held) => _held.WithLabels(ModelLabels.Of(key)).Set(held ? 1 : 0);

    public void Repaired(ModelKey key, string result) => _repairs.WithLabels([.. ModelLabels.Of(key), result]).Inc();

    public void StorageDegraded(bool degraded) => _storage.Set(degraded ? 1 : 0);

    public void EventsLost() => _overflows.Inc();

    public void Suspects(int models) => _suspects.Set(models);

    public void Watched(ModelKey key, bool? isWatched)
    {
        if (isWatched is { } known) _unwatched.WithLabels(ModelLabels.Of(key)).Set(known ? 0 : 1);
        else _unwatched.RemoveLabelled(ModelLabels.Of(key));
    }

    public void Forget(ModelKey key)
    {
        ModelLabels.Forget(key, _oldestProof, _deepMaxAge, _findings, _damaged, _held, _unwatched);
        ModelLabels.Forget(key, _checksumFailed, _verifications, _checks, _checkedBytes, _flickers, _withdrawals, _readmissions, _repairs);
        ModelLabels.Forget(key, _checkSeconds);
    }

    private static string StorageType(ModelSpec spec)
    {
        var end = spec.StorageUri.IndexOf(':', StringComparison.Ordinal);
        return end is > 0 and < 12 ? spec.StorageUri[..end] : "unknown";
    }
}
