using k8s.Models;
using Ome.Agent.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Domain.Verification;
using Ome.Shared.Kube;

namespace Ome.Agent.Publishing;

/// <summary>Facts about the check of a model that its record does not hold.</summary>
public sealed record CheckFacts(VerificationPolicy Policy, ManifestTrust? Trust, int Files, long Bytes, DateTimeOffset? NextCheck, TimeSpan? Duration)
{
    /// <summary>Since when the node asks the fleet whether it may withdraw; null when it does not (docs/designs/0009).</summary>
    public DateTimeOffset? ClaimedAt { get; init; }
}

/// <summary>Record → publication: the one place that says what the wire shows for what the agent knows.</summary>
public sealed class Publications(string nodeName)
{
    /// <summary>Condition of a check that says whether its node took the model back: True, False, or Unknown while it asks whether it may.</summary>
    public const string WithdrawnCondition = "Withdrawn";

    private string? _nodeUid;

    /// <summary>The Node's UID, owner of the checks; set once the node is known.</summary>
    public void SetNodeUid(string uid) => Volatile.Write(ref _nodeUid, uid);

    /// <summary>What the record says; <paramref name="facts"/> null leaves the model without a check (not Ready yet, or never checked).</summary>
    public Publication Of(ModelRecord record, ModelSpec spec, CheckFacts? facts, PublishedEvent? happened = null, DownloadProgress? progress = null) => new()
    {
        Key = record.Key,
        Uid = record.Uid,
        State = record.State,
        Entry = current => Entry(current, record, progress),
        Check = facts is null ? null : Check(record, spec, facts),
        CheckName = record.Key.CheckName(nodeName),
        Events = happened is null ? [] : [happened],
    };

    /// <summary>The model is gone from this node.</summary>
    public Publication Gone(ModelKey key, string uid, PublishedEvent? happened = null) =>
        new() { Key = key, Uid = uid, State = NodeModelState.Deleted, CheckName = key.CheckName(nodeName), Events = happened is null ? [] : [happened] };

    private static NodeModelEntry Entry(NodeModelEntry? current, ModelRecord record, DownloadProgress? progress)
    {
        var entry = current ?? NodeModelEntry.Of(record.Name, record.State);
        // Who shares the artifact is kept by sharing itself, through other entries' changes: it survives ours (contract 3.5).
        var config = record.Config is { } read ? read with { Artifact = MergedArtifact(entry.Config?.Artifact, read.Artifact) } : entry.Config;
        return entry with
        {
            Name = record.Name,
            Config = config,
            Progress = progress ?? entry.Progress,
            StorageUri = record.StorageUri,
            StoragePath = record.StoragePath,
            Validation = record.Validation,
        };
    }

    private static ReportedArtifact MergedArtifact(ReportedArtifact? present, ReportedArtifact own) =>
        // Without a commit it is what a child left that came before the entry did.
        present is null || (present.Sha.Length > 0 && present.Sha != own.Sha) ? own : own with { ChildrenPaths = present.ChildrenPaths ?? own.ChildrenPaths, Unknown = present.Unknown };

    private ModelIntegrityCheck Check(ModelRecord record, ModelSpec spec, CheckFacts facts)
    {
        var check = new ModelIntegrityCheck
        {
            Metadata = new V1ObjectMeta
            {
                Name = record.Key.CheckName(nodeName),
                Labels = new Dictionary<string, string>
                {
                    [OmeNames.CheckNodeLabel] = HashedName.Fit(nodeName, OmeNames.MaxLabelValueLength),
                    [OmeNames.CheckKeyLabel] = HashedName.Fit(record.Key.DataKey, OmeNames.MaxLabelValueLength),
                },
                OwnerReferences = Volatile.Read(ref _nodeUid) is { } uid ? [new V1OwnerReference { ApiVersion = "v1", Kind = "Node", Name = nodeName, Uid = uid }] : null,
            },
            Spec = new ModelIntegrityCheckSpec
            {
                NodeName = nodeName,
                ModelRef = ModelSpecReader.ReferenceTo(spec),
                StorageUri = record.StorageUri,
                StoragePath = record.StoragePath,
                Mode = facts.Policy.Mode.ToString(),
                Interval = DurationText.Format(facts.Policy.Interval),
                DeepMaxAge = DurationText.Format(facts.Policy.DeepMaxAge),
                OnDamage = facts.Policy.OnDamage.ToString(),
            },
            Status = Status(record, facts),
        };
        return check;
    }

    private static ModelIntegrityCheckStatus Status(ModelRecord record, CheckFacts facts) => new()
    {
        Result = record.Validation?.Result ?? ValidationResults.Pending,
        Reason = record.Validation?.Reason,
        Message = record.Validation?.Message,
        Mode = record.Validation?.Mode,
        Trust = facts.Trust switch { ManifestTrust.Upstream => "upstream", ManifestTrust.Local => "local", _ => null },
        LastCheckTime = Whole(record.LastCheck),
        LastDeepTime = Whole(record.LastDeepCheck),
        OldestProofTime = Whole(record.Validation?.OldestProofTime),
        NextCheckTime = Whole(facts.NextCheck),
        FilesTotal = facts.Files,
        BytesTotal = facts.Bytes,
        FilesChecked = record.Validation?.FilesChecked,
        BytesChecked = record.Validation?.BytesChecked,
        Duration = facts.Duration is { } took ? DurationText.Format(TimeSpan.FromMilliseconds(Math.Ceiling(took.TotalMilliseconds))) : null,
        Findings = record.Findings.IsEmpty ? null : [.. record.Findings.Take(ModelIntegrityCheckStatus.MaxFindings).Select(Finding)],
        Conditions = [Intact(record), Withdrawn(record, facts)],
    };

    private static IntegrityFinding Finding(RecordedFinding finding) => new()
    {
        Path = finding.Path ?? ".",
        Reason = finding.Reason,
        Expected = finding.Expected,
        Actual = finding.Actual,
        Offset = finding.Offset,
    };

    private static ModelCondition Intact(ModelRecord record) => Condition(
        "Intact",
        record.Validation?.Result switch { ValidationResults.Valid => "True", ValidationResults.Invalid => "False", _ => "Unknown" },
        record.Validation?.Reason ?? (record.Validation?.Result == ValidationResults.Valid ? "Intact" : "NotChecked"),
        record.Validation?.Message ?? "",
        record.Since);

    private static ModelCondition Withdrawn(ModelRecord record, CheckFacts facts) => (facts.ClaimedAt, record.Phase, record.HeldSince) switch
    {
        ({ } claimed, _, _) => Condition(WithdrawnCondition, "Unknown", "Claimed", "damage was found; whether the failure budget allows to withdraw is being asked", claimed),
        (_, ModelPhase.Withdrawn, _) => Condition(WithdrawnCondition, "True", record.Reason ?? "Damaged", record.Message ?? "", record.Since),
        (_, _, { } held) => Condition(WithdrawnCondition, "False", "WithdrawalHeld", "damaged, and still advertised: the failure budget (--max-withdrawals) is used up", held),
        _ => Condition(WithdrawnCondition, "False", "Advertised", "", record.Since),
    };

    private static ModelCondition Condition(string type, string status, string reason, string message, DateTimeOffset since) =>
        new() { Type = type, Status = status, Reason = reason, Message = message, LastTransitionTime = Whole(since)!.Value };

    // Kubernetes keeps whole seconds; a fraction would differ from what is read back, and be written again.
    private static DateTimeOffset? Whole(DateTimeOffset? time) => time is { } value ? new DateTimeOffset(value.UtcTicks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero) : null;
}
