using System.Collections.Concurrent;
using Ome.Agent.Hosting;
using Ome.Agent.Integrity;
using Ome.Agent.Publishing;
using Ome.Agent.Staging;
using Ome.Shared.Domain.Artifacts;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Models;

/// <summary>
/// One model at a time from what is wanted to what is there: stage, adopt, publish, remove. Each run starts from the durable record and the newest wish,
/// so it may be stopped at any line and run again. Nothing Ready becomes Updating while its files are good (W10); a failure is tried again after a
/// growing pause (W12); a model whose spec is wrong fails alone, with its reason (W13, W35).
/// </summary>
public sealed partial class ModelWorker(
    ModelCatalog catalog,
    ModelRecordStore records,
    ModelGates gates,
    ModelStaging staging,
    ManifestStore manifests,
    IntegrityService integrity,
    LocalBaseline baseline,
    ReportPublisher publisher,
    Publications publications,
    NodeReportView report,
    AnnotationAdvice advice,
    StagingTurns turns,
    StagingMetrics metrics,
    AgentOptions options,
    TimeProvider time,
    ILogger<ModelWorker> logger)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LastRetry = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<ModelKey, Running> _running = new();

    private sealed record Running(ModelSpec Spec, string Destination, CancellationTokenSource Stop)
    {
        public void Interrupt()
        {
            try
            {
                Stop.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has ended in this moment.
            }
        }
    }

    /// <summary>Stops what is done with files that are no longer wanted so; called for every change of a model, of the node and of nothing else.</summary>
    public void Interrupt(ModelKey key)
    {
        var wish = catalog.Find(key);
        if (records.Find(key) is { } record && (wish?.Destination is not { } destination || !record.IsAbout(wish.Spec, destination))) integrity.Interrupt(key);
        if (!_running.TryGetValue(key, out var running)) return;
        if (wish is null || wish.Destination != running.Destination || wish.Spec.StorageUri != running.Spec.StorageUri || wish.Spec.Uid != running.Spec.Uid
            || ArtifactLinks.PolicyChangeMatters(wish.Uri!, running.Spec.DownloadPolicy, wish.Spec.DownloadPolicy)) running.Interrupt();
    }

    /// <summary>Brings a model to what is wanted; says when to look again, null when a change will tell.</summary>
    public async Task<TimeSpan?> ProcessAsync(ModelKey key, CancellationToken cancellationToken)
    {
        using var hold = await gates.EnterAsync(key, cancellationToken);
        var record = records.Find(key);
        var wish = catalog.Find(key);
        if (wish is null) return catalog.IsUnreadable(key) ? Stands(record) : await RemoveAsync(key, record, cancellationToken);
        if (wish.Destination is not { } destination) return Refuse(wish, record);
        if (record is not null && !record.IsAbout(wish.Spec, destination))
        {
            await DropAsync(record, wish, cancellationToken);
            record = null;
        }

        switch (record?.Phase)
        {
            // A Ready model does not wait for a turn under its gate, where no check could look at it.
            case ModelPhase.Ready when HasNewPolicy(record, wish) && WaitsUntil(record, wish.Spec) is null && turns.HasRoom:
                return await InTurnAsync(wish, destination, stop => ReconsiderAsync(wish, destination, record, stop), cancellationToken);
            case ModelPhase.Ready or ModelPhase.Withdrawn:
                return LeaveAsItIs(record, wish);
            case ModelPhase.Failed or ModelPhase.Staging when WaitsUntil(record, wish.Spec) is { } next:
                Publish(record, wish.Spec, null);
                return next - time.GetUtcNow();
            default:
                return await InTurnAsync(wish, destination, stop => StageAsync(wish, destination, record, stop), cancellationToken);
        }
    }

    /// <summary>A model whose files are there stays as it is; small changes of the author's mind are noted.</summary>
    private TimeSpan? LeaveAsItIs(ModelRecord record, ModelWish wish)
    {
        var pending = HasNewPolicy(record, wish);
        var policy = pending ? record.Policy : wish.Spec.DownloadPolicy;
        if (record.With(wish.Spec) with { Policy = policy } is var newest && newest != record) records.Save(record = newest);
        Publish(record, wish.Spec, null);
        // An earlier agent may have gone before it came to the hashing.
        if (record.Phase == ModelPhase.Ready && wish.Uri is StorageUri.Local) baseline.Add(record.Key);
        if (!pending) return null;
        // Damage is dealt with first.
        return record.Phase == ModelPhase.Ready && WaitsUntil(record, wish.Spec) is { } next ? next - time.GetUtcNow() : FirstRetry;
    }

    /// <summary>The author asks for own files where there is a link, or the reverse (contract A15). Where nothing is known of the former policy, it was this one.</summary>
    private static bool HasNewPolicy(ModelRecord record, ModelWish wish) =>
        record.Policy is { } before && ArtifactLinks.PolicyChangeMatters(wish.Uri!, before, wish.Spec.DownloadPolicy);

    /// <summary>There is such a model and nobody knows what is wanted of it: what is known is said, and its files stay.</summary>
    private TimeSpan? Stands(ModelRecord? record)
    {
        if (record is not null && catalog.FindFor(record) is { IsGuessed: false } wish) Publish(record, wish.Spec, null);
        return null;
    }

    /// <summary>A failure is waited out, unless the author changed the spec; a source that asked for time gets it whatever changed.</summary>
    private DateTimeOffset? WaitsUntil(ModelRecord record, ModelSpec spec)
    {
        if (record.NextAttempt is not { } next || next <= time.GetUtcNow()) return null;
        return record.Phase == ModelPhase.Staging || record.AttemptedGeneration is not { } tried || tried == spec.Generation ? next : null;
    }

    private async Task<TimeSpan?> InTurnAsync(ModelWish wish, string destination, Func<CancellationToken, Task<TimeSpan?>> stage, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _running[wish.Spec.Key] = new Running(wish.Spec, destination, stop);
        try
        {
            using var turn = wish.Uri is StorageUri.Local or StorageUri.Vendor ? null : await turns.TakeAsync(wish.Spec.Key, stop.Token);
            return await stage(stop.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The wish changed: the key is queued again by whoever changed it. Nothing is published for what is no longer wanted (W4).
            LogInterrupted(wish.Spec.Key);
            return TimeSpan.Zero;
        }
        finally
        {
            _running.TryRemove(wish.Spec.Key, out _);
        }
    }

    /// <summary>
    /// Own files become a link, or a link own files, in one step at the end: the model is Ready throughout, and stays as it is while that cannot be done.
    /// </summary>
    private async Task<TimeSpan?> ReconsiderAsync(ModelWish wish, string destination, ModelRecord record, CancellationToken cancellationToken)
    {
        var before = record.Config?.Artifact;
        var (result, artifact) = await staging.StageAsync(wish, destination, before, static _ => { }, cancellationToken, reconsiders: true);
        if (result is not StagingResult.Staged staged)
        {
            var (attempts, pause) = Next(record, wish, ((StagingResult.Failed)result).Failure);
            var text = $"{record.Name} on {options.NodeName}: downloadPolicy {wish.Spec.DownloadPolicy} is not carried out yet, the model stays Ready as it is: {((StagingResult.Failed)result).Failure.Message}";
            records.Save(record = record with { Attempts = attempts, AttemptedGeneration = wish.Spec.Generation, NextAttempt = time.GetUtcNow() + pause });
            Publish(record, wish.Spec, attempts > 1 ? null : new PublishedEvent("DownloadPolicyPending", text, IsWarning: true));
            LogPolicyPending(record.Key, wish.Spec.DownloadPolicy, ((StagingResult.Failed)result).Failure, Said(pause));
            return pause;
        }

        var isSame = before is not null && artifact is not null && Nullable.Equals(ArtifactLinks.ParentOf(before), ArtifactLinks.ParentOf(artifact));
        if (!isSame) return Ready(record, wish, ModelStaging.Describe(wish, destination, staged.Manifest, artifact), staged);
        records.Save(record = record with { Policy = wish.Spec.DownloadPolicy, Attempts = 0, NextAttempt = null });
        Publish(record, wish.Spec, null);
        return null;
    }

    private async Task<TimeSpan?> StageAsync(ModelWish wish, string destination, ModelRecord? record, CancellationToken cancellationToken)
    {
        var begun = record ?? ModelRecord.Begin(wish.Spec, destination, time.GetUtcNow());
        // An entry that says Ready of these files was written by an earlier agent, ours or OME's: it stands while the files prove good, also when the
        // first try to prove them was cut off.
        var adopted = record is null or { Phase: ModelPhase.Staging, Attempts: 0 } && await report.SaysReadyAsync(wish.Spec, destination, cancellationToken);
        if (!adopted) begun = Move(begun, ModelPhase.Staging, null, null);
        records.Save(begun);
        if (!adopted) Publish(begun, wish.Spec, null);

        var fetching = !adopted;
        var started = time.GetTimestamp();
        var (result, artifact) = await staging.StageAsync(wish, destination, begun.Config?.Artifact, Progress, cancellationToken);
        if (result is not StagingResult.Failed) metrics.Staged(wish.Spec.Key, time.GetElapsedTime(started));
        return result switch
        {
            StagingResult.Staged staged => Ready(begun, wish, ModelStaging.Describe(wish, destination, staged.Manifest, artifact), staged),
            StagingResult.NothingToProve nothing => ReadyWithoutProof(begun, wish, nothing.Why),
            // An upgrade while the source is out of reach proves nothing against files nobody touched.
            StagingResult.Failed { Failure: { Reason: StagingFailureReason.SourceUnavailable or StagingFailureReason.RateLimited } failure } when adopted && !fetching => Keep(begun, failure),
            StagingResult.Failed failed => Fail(begun, record, wish, failed.Failure),
            _ => throw new InvalidOperationException("A closed set has a new case."),
        };

        void Progress(StagingProgress progress)
        {
            if (!fetching && progress.BytesFetched == 0) return;
            fetching = true;
            Publish(begun, wish.Spec, null, new DownloadProgress
            {
                Phase = progress.Phase.ToString().ToLowerInvariant(),
                TotalBytes = (ulong)progress.TotalBytes,
                CompletedBytes = (ulong)progress.CompletedBytes,
                TotalFiles = (uint)progress.TotalFiles,
                CompletedFiles = (uint)progress.CompletedFiles,
                SpeedBytesPerSec = progress.BytesPerSecond,
                LastUpdated = time.GetUtcNow(),
            });
        }
    }

    private TimeSpan? Ready(ModelRecord record, ModelWish wish, ModelDescription description, StagingResult.Staged staged)
    {
        var ready = Move(record, ModelPhase.Ready, null, null) with
        {
            Policy = wish.Spec.DownloadPolicy,
            Attempts = 0,
            NextAttempt = null,
            Config = description.Config,
            ConfigProblem = description.Problem,
            Validation = new ReportedValidation { Result = ValidationResults.Pending, ObservedGeneration = wish.Spec.Generation },
        };
        var hashed = staged.Manifest.Entries.All(entry => entry.HasContentDigest);
        if (hashed) manifests.BeginLedger(record.Key, staged.Manifest, time.GetUtcNow());
        records.Save(ready);
        integrity.Schedule(record.Key, atOnce: true);
        if (!hashed) baseline.Add(record.Key);
        Publish(ready, wish.Spec, new PublishedEvent("ModelReady", $"{record.Name} is ready on {options.NodeName}: {staged.Manifest.Entries.Length} files", IsWarning: false));
        LogReady(record.Key, staged.Manifest.Entries.Length, staged.Tally.BytesFetched, staged.Tally.BytesReused, description.Problem ?? "read");
        return null;
    }

    private TimeSpan? ReadyWithoutProof(ModelRecord record, ModelWish wish, string why)
    {
        var ready = Move(record, ModelPhase.Ready, null, null) with
        {
            Validation = new ReportedValidation { Result = ValidationResults.Inconclusive, Reason = "ManifestMissing", Message = why, ObservedGeneration = wish.Spec.Generation },
        };
        records.Save(ready);
        Publish(ready, wish.Spec, null);
        return null;
    }

    /// <summary>What an earlier agent said stands, and is looked at again.</summary>
    private TimeSpan? Keep(ModelRecord record, StagingFailure failure)
    {
        var pause = failure.RetryAfter ?? FirstRetry;
        LogKept(record.Key, failure, Said(pause));
        return pause;
    }

    /// <summary>The same failure again is no news: its count, and when the next try is, are in the log.</summary>
    private TimeSpan? Fail(ModelRecord record, ModelRecord? before, ModelWish wish, StagingFailure failure)
    {
        var now = time.GetUtcNow();
        var (attempts, pause) = Next(record, wish, failure);
        var phase = failure.StaysUpdating ? ModelPhase.Staging : ModelPhase.Failed;
        var failed = Move(record, phase, failure.Reason.ToString(), failure.Message) with
        {
            Attempts = attempts,
            AttemptedGeneration = wish.Spec.Generation,
            NextAttempt = failure.MayPass ? now + pause : null,
            Validation = Unproven(failure.Reason.ToString(), failure.Message, now, wish.Spec),
        };
        records.Save(failed);
        metrics.Failed(record.Key, failure.Reason, pause);
        var known = attempts > 1 && before?.Reason == failure.Reason.ToString();
        var again = failed.NextAttempt is null ? "not tried again until the model changes" : $"next try in {Said(pause)}";
        Publish(failed, wish.Spec, known ? null : new PublishedEvent("ModelFailed", $"{record.Name} on {options.NodeName}: {failure.Message}; {again}", IsWarning: true));
        LogFailed(record.Key, failure, again);
        return failure.MayPass ? pause : null;
    }

    /// <summary>Failures in a row with this one, and the growing pause after it.</summary>
    private static (int Attempts, TimeSpan Pause) Next(ModelRecord record, ModelWish wish, StagingFailure failure)
    {
        var attempts = (record.AttemptedGeneration is not { } tried || tried == wish.Spec.Generation ? record.Attempts : 0) + 1;
        return (attempts, failure.RetryAfter ?? TimeSpan.FromTicks(Math.Min(LastRetry.Ticks, FirstRetry.Ticks << Math.Min(attempts - 1, 12))));
    }

    private static string Said(TimeSpan pause) => Ome.Shared.Domain.DurationText.Format(TimeSpan.FromSeconds(Math.Ceiling(pause.TotalSeconds)));

    /// <summary>The spec cannot be carried out: said on the wire, changed by nothing but the author.</summary>
    private TimeSpan? Refuse(ModelWish wish, ModelRecord? record)
    {
        var begun = record is { Uid: var uid } && uid == wish.Spec.Uid ? record : ModelRecord.Begin(wish.Spec, "", time.GetUtcNow());
        var known = begun.Phase == ModelPhase.Failed && begun.Message == wish.Refusal;
        // Files that were staged before the author's slip are still theirs: a deletion must know where they came from.
        var staged = begun.StoragePath.Length > 0 ? begun.StagedUri ?? begun.StorageUri : null;
        var refused = Move(begun with { StorageUri = wish.Spec.StorageUri, StagedUri = staged }, ModelPhase.Failed, "InvalidSpec", wish.Refusal) with
        {
            Validation = Unproven("InvalidSpec", wish.Refusal!, time.GetUtcNow(), wish.Spec),
        };
        if (!known) records.Save(refused);
        Publish(refused, wish.Spec, known ? null : new PublishedEvent("InvalidSpec", $"{wish.Spec.Key}: {wish.Refusal}", IsWarning: true));
        return null;
    }

    /// <summary>The same model now names other files: the old ones go, unless the new wish lies there too.</summary>
    private async Task DropAsync(ModelRecord record, ModelWish wish, CancellationToken cancellationToken)
    {
        integrity.Forget(record.Key);
        if (record.StoragePath.Length > 0 && !DestinationRule.Overlap(record.StoragePath, wish.Destination!))
        {
            await publisher.PublishAsync(publications.Of(Move(record, ModelPhase.Staging, null, null), wish.Spec, null)).WaitAsync(cancellationToken);
            await RemoveFilesAsync(record, wish.Spec, cancellationToken);
        }

        records.Remove(record.Key);
    }

    private async Task<TimeSpan?> RemoveAsync(ModelKey key, ModelRecord? record, CancellationToken cancellationToken)
    {
        var spec = catalog.Spec(key);
        integrity.Forget(key);
        advice.Forget(key);
        if (record is not null)
        {
            // "Not Ready" is visible before files go away.
            if (record.Phase == ModelPhase.Ready && spec is not null) await publisher.PublishAsync(publications.Of(Move(record, ModelPhase.Staging, null, null), spec, null)).WaitAsync(cancellationToken);
            await RemoveFilesAsync(record, spec, cancellationToken);
        }

        await publisher.PublishAsync(publications.Gone(key, record?.Uid ?? spec?.Uid ?? "")).WaitAsync(cancellationToken);
        if (record is not null)
        {
            records.Remove(key);
            metrics.Forget(key);
            LogRemoved(key);
        }

        return null;
    }

    private async Task RemoveFilesAsync(ModelRecord record, ModelSpec? spec, CancellationToken cancellationToken)
    {
        if (record.StoragePath.Length == 0) return;
        await staging.RemoveAsync(record, spec, cancellationToken);
        await manifests.DeleteAsync(record.Key);
    }

    private ModelRecord Move(ModelRecord record, ModelPhase phase, string? reason, string? message) =>
        record with { Phase = phase, Since = phase == record.Phase ? record.Since : time.GetUtcNow(), Reason = reason, Message = message };

    private static ReportedValidation Unproven(string reason, string message, DateTimeOffset now, ModelSpec spec) =>
        new() { Result = ValidationResults.Inconclusive, Reason = reason, Message = message, LastCheckedTime = now, ObservedGeneration = spec.Generation };

    private void Publish(ModelRecord record, ModelSpec spec, PublishedEvent? happened, DownloadProgress? progress = null)
    {
        var publication = publications.Of(record, spec, integrity.Facts(record, spec), happened, progress);
        if (advice.News(spec) is { } news) publication = publication with { Events = publication.Events.Add(news) };
        _ = publisher.PublishAsync(publication);
    }

    [LoggerMessage(EventId = 2301, Level = LogLevel.Information, Message = "{Model} is ready: {Files} files, {Fetched} bytes fetched, {Reused} bytes proven in place, config {Config}")]
    private partial void LogReady(ModelKey model, int files, long fetched, long reused, string config);

    [LoggerMessage(EventId = 2302, Level = LogLevel.Warning, Message = "{Model} could not be staged: {Failure}; {Again}")]
    private partial void LogFailed(ModelKey model, StagingFailure failure, string again);

    [LoggerMessage(EventId = 2305, Level = LogLevel.Warning, Message = "{Model} was Ready before this agent came and could not be proven yet: {Failure}; it stays so, next try in {Pause}")]
    private partial void LogKept(ModelKey model, StagingFailure failure, string pause);

    [LoggerMessage(EventId = 2306, Level = LogLevel.Warning, Message = "{Model} stays Ready as it is, since its new downloadPolicy {Policy} could not be carried out: {Failure}; next try in {Pause}")]
    private partial void LogPolicyPending(ModelKey model, DownloadPolicy policy, StagingFailure failure, string pause);

    [LoggerMessage(EventId = 2303, Level = LogLevel.Information, Message = "{Model} is no longer wanted as it was: staging stopped")]
    private partial void LogInterrupted(ModelKey model);

    [LoggerMessage(EventId = 2304, Level = LogLevel.Information, Message = "{Model} is gone from this node")]
    private partial void LogRemoved(ModelKey model);
}
