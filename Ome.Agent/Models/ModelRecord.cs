using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Models;

/// <summary>Where a model stands on this node.</summary>
public enum ModelPhase
{
    /// <summary>Its files are being fetched or proven for the first time.</summary>
    Staging,

    /// <summary>Its files are complete; checks keep proving them.</summary>
    Ready,

    /// <summary>A check proved damage and readiness was withdrawn; a full check that passes readmits it.</summary>
    Withdrawn,

    /// <summary>Staging failed; tried again after a time, or when the spec changes.</summary>
    Failed,
}

/// <summary>A finding as it is kept and shown: texts only.</summary>
public sealed record RecordedFinding(string? Path, string Reason, string? Expected, string? Actual, long? Offset, string? Detail);

/// <summary>
/// What the agent knows of one model, durable: everything it publishes (label, ConfigMap entry, ModelIntegrityCheck) is derived from it, so that a
/// crash between two writes leaves nothing to guess.
/// </summary>
public sealed record ModelRecord
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    public required ModelKind Kind { get; init; }

    /// <summary>Empty for a ClusterBaseModel.</summary>
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>UID of the object this was made for: a namesake created later is another model.</summary>
    public required string Uid { get; init; }

    public required string StorageUri { get; init; }

    /// <summary>Where the files at <see cref="StoragePath"/> came from, while the spec says something that was refused; null: from <see cref="StorageUri"/>.</summary>
    public string? StagedUri { get; init; }

    /// <summary>Resolved directory of the files; empty when the spec was refused before it could be resolved.</summary>
    public required string StoragePath { get; init; }

    /// <summary>What the author wrote in <c>spec.storage.path</c>.</summary>
    public string? SpecPath { get; init; }

    /// <summary>Download policy under which the files came to lie as they do; null in records of agents that did not keep it.</summary>
    public DownloadPolicy? Policy { get; init; }

    /// <summary>The reserve label as last seen: a model deleted while nobody watched keeps its files if it said so.</summary>
    public bool KeepsFiles { get; init; }

    /// <summary>The integrity annotations as last seen, without a request for a check; null in the record of an agent that did not keep them.</summary>
    public IntegrityAnnotations? Integrity { get; init; }

    public required ModelPhase Phase { get; init; }

    /// <summary>When the phase began.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Why, for Withdrawn and Failed: a CamelCase word.</summary>
    public string? Reason { get; init; }

    /// <summary>Why, for people; never a secret.</summary>
    public string? Message { get; init; }

    /// <summary>Failed stagings in a row.</summary>
    public int Attempts { get; init; }

    /// <summary>Generation of the spec that failed; another one is tried without waiting.</summary>
    public long? AttemptedGeneration { get; init; }

    /// <summary>Earliest next staging after a failure; null when only a change can help.</summary>
    public DateTimeOffset? NextAttempt { get; init; }

    /// <summary>What the files say of the model.</summary>
    public ReportedConfig? Config { get; init; }

    /// <summary>Why there is no <see cref="Config"/>.</summary>
    public string? ConfigProblem { get; init; }

    /// <summary>The newest check, as reported.</summary>
    public ReportedValidation? Validation { get; init; }

    /// <summary>What the newest check found; at most 16.</summary>
    public ImmutableArray<RecordedFinding> Findings { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Latest <c>spec.requestedAt</c> or <c>ome.io/verify-now</c> that was answered by a full check.</summary>
    public string? AnsweredRequest { get; init; }

    /// <summary>The newest <c>spec.requestedAt</c> of the node's ModelIntegrityCheck that a full check answered.</summary>
    public string? AnsweredCheckRequest { get; init; }

    /// <summary>When the latest check of each tier ended.</summary>
    public DateTimeOffset? LastCheck { get; init; }

    public DateTimeOffset? LastDeepCheck { get; init; }

    /// <summary>Since when damage of the Ready model is not withdrawn because the failure budget is used up; null when it is not held.</summary>
    public DateTimeOffset? HeldSince { get; init; }

    /// <summary>Checks in a row that met errors of the medium, counted to <see cref="PersistentReadErrors"/>.</summary>
    public int ReadErrors { get; init; }

    /// <summary>From so many on they are the medium's, not a passing fault's of bus or cable.</summary>
    public const int PersistentReadErrors = 2;

    /// <summary>Failed readmission checks in a row, for their back-off.</summary>
    public int ReadmissionAttempts { get; init; }

    [JsonIgnore]
    public ModelKey Key => ModelKey.Of(Kind, Namespace, Name);

    /// <summary>Whether the record is about these files of this object.</summary>
    public bool IsAbout(ModelSpec spec, string destination) =>
        Uid == spec.Uid && StorageUri == spec.StorageUri && StoragePath == destination;

    /// <summary>What the node advertises for the phase; a restaging keeps advertising what it did before until files really go.</summary>
    [JsonIgnore]
    public NodeModelState State => Phase switch
    {
        ModelPhase.Ready => NodeModelState.Ready,
        ModelPhase.Staging => NodeModelState.Updating,
        _ => NodeModelState.Failed,
    };

    /// <summary>With what the author may change beside the files.</summary>
    public ModelRecord With(ModelSpec spec) => this with { KeepsFiles = spec.KeepsFiles, Integrity = spec.Integrity with { VerifyNow = null } };

    public static ModelRecord Begin(ModelSpec spec, string destination, DateTimeOffset now) => new ModelRecord
    {
        Kind = spec.Key.Kind,
        Namespace = spec.Key.Namespace,
        Name = spec.Key.Name,
        Uid = spec.Uid,
        StorageUri = spec.StorageUri,
        StoragePath = destination,
        SpecPath = spec.StoragePath,
        Phase = ModelPhase.Staging,
        Since = now,
    }.With(spec);
}
