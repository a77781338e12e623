using System.Collections.Concurrent;
using Ome.Agent.Models;
using Ome.Agent.Repair;
using Ome.Agent.Staging;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Repair;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Integrity;

/// <summary>
/// Has a withdrawn model made whole: its damaged parts, or all of it when too much is damaged. Says only when to check again; what is intact is for the check
/// to say. Call it while holding the model's gate.
/// </summary>
public sealed partial class ModelRepair(
    RepairWorker worker, ArtifactStager stager, StagingFlow flow, ModelCatalog catalog, IIntegrityObserver observer, TimeProvider time, ILogger<ModelRepair> logger)
{
    private readonly ConcurrentDictionary<ModelKey, (int Failures, DateTimeOffset NotBefore)> _failed = new();

    /// <summary>Repairs unless an earlier failure's pause still runs.</summary>
    /// <returns>When the next check makes sense: at once after a repair; null when nothing was done and the usual pause holds.</returns>
    public async Task<TimeSpan?> RepairAsync(
        ModelWish wish, string destination, ArtifactManifest manifest, IReadOnlyList<FileFinding> findings, CancellationToken cancellationToken)
    {
        var key = wish.Spec.Key;
        var (failures, notBefore) = _failed.GetValueOrDefault(key);
        if (wish.Uri is null || notBefore > time.GetUtcNow()) return null;
        flow.Enter(key);
        var request = new StagingRequest(wish.Spec, wish.Uri, destination, catalog.Node);
        var result = await worker.RepairAsync(new RepairRequest(request, manifest, findings, failures), cancellationToken);
        if (result is RepairResult.RestageNeeded needed)
        {
            LogRestage(key, needed.Why);
            var staged = await stager.StageAsync(request with { Damaged = needed.Damaged }, null, cancellationToken);
            if (staged is StagingResult.Failed { Failure: var failure }) result = new RepairResult.Failed(failure, failure.RetryAfter ?? RepairBackoff.After(failures + 1));
        }

        observer.Repaired(key, NameOf(result));
        switch (result)
        {
            case RepairResult.Failed failed:
                _failed[key] = (failures + 1, time.GetUtcNow() + failed.TryAgainAfter);
                LogFailed(key, failed.Failure.Reason, failed.Failure.Message, failed.TryAgainAfter);
                return failed.TryAgainAfter;
            case RepairResult.Impossible impossible:
                LogImpossible(key, impossible.Why);
                return null;
            default:
                _failed.TryRemove(key, out _);
                return TimeSpan.Zero;
        }
    }

    private static string NameOf(RepairResult result) => result switch
    {
        RepairResult.Repaired => "repaired",
        RepairResult.RestageNeeded => "restaged",
        RepairResult.Impossible => "impossible",
        _ => "failed",
    };

    [LoggerMessage(4060, LogLevel.Information, "{Model} is staged again: {Why}")]
    private partial void LogRestage(ModelKey model, string why);

    [LoggerMessage(4061, LogLevel.Warning, "Repairing {Model} failed: {Reason}: {Message}. Next try in {Pause}")]
    private partial void LogFailed(ModelKey model, StagingFailureReason reason, string message, TimeSpan pause);

    [LoggerMessage(4062, LogLevel.Warning, "{Model} cannot be repaired: {Why}")]
    private partial void LogImpossible(ModelKey model, string why);
}
