using System.Collections.Concurrent;
using System.Threading.Channels;
using Ome.Agent.Hosting;
using Ome.Agent.Models;
using Ome.Agent.Publishing;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Integrity;

/// <summary>Why a check runs now.</summary>
public enum CheckTrigger
{
    /// <summary>Its time has come, or not: then nothing is done.</summary>
    Timer,

    /// <summary>The kernel told of a change, or the model was just staged: look at once.</summary>
    Suspicion,
}

/// <summary>
/// Checks the models of this node and acts on what it finds: withdraws on proved damage, readmits after a full check that passes, reports everything
/// else. Promises: one check of a model at a time, never beside its staging or removal; the verdict is durable before anything is published; a check that
/// could not look changes nothing but its own report.
/// </summary>
public sealed partial class IntegrityService(
    ModelCatalog catalog,
    ModelRecordStore records,
    ManifestStore manifests,
    ModelGates gates,
    RunningChecks checks,
    ReportPublisher publisher,
    Publications publications,
    FleetBrake brake,
    ModelRepair repairs,
    IIntegrityObserver observer,
    AgentOptions options,
    TimeProvider time,
    ILogger<IntegrityService> logger)
{
    private static readonly TimeSpan FirstReadmission = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LastReadmission = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan RequestRetry = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<ModelKey, DateTimeOffset> _due = new();
    private readonly ConcurrentDictionary<ModelKey, DateTimeOffset> _reported = new();
    private readonly ConcurrentDictionary<ModelKey, bool> _suspected = new();
    private readonly ConcurrentDictionary<ModelKey, bool> _unsaved = new();
    private readonly ConcurrentDictionary<ModelKey, bool> _undecided = new();
    private readonly ConcurrentDictionary<ModelKey, CancellationTokenSource> _repairing = new();
    private readonly FullCheckRequests _requests = new();
    private readonly Channel<ModelKey> _woken = Channel.CreateUnbounded<ModelKey>();

    /// <summary>Models that became due at once; each is read by one reader.</summary>
    public ChannelReader<ModelKey> Woken => _woken.Reader;

    /// <summary>Called whenever a check has another time than before.</summary>
    public Wake Rescheduled { get; } = new();

    /// <summary>When the first check is due; null when none is.</summary>
    public DateTimeOffset? NextDue => _due.IsEmpty ? null : _due.Min(static pair => pair.Value);

    /// <summary>How long the model's next check is off, nothing or less when it is due; null when none is planned.</summary>
    public TimeSpan? Remaining(ModelKey key) => _due.TryGetValue(key, out var due) ? due - time.GetUtcNow() : null;

    /// <summary>A model became Ready, or the agent started: its first check comes after its place in the jitter, or at once.</summary>
    public void Schedule(ModelKey key, bool atOnce)
    {
        var phase = atOnce ? TimeSpan.Zero : FleetSpread.StartPhase(FleetSpread.Seed(options.NodeName, key.DataKey), options.StartJitter);
        Due(key, time.GetUtcNow() + phase);
        if (phase == TimeSpan.Zero) _woken.Writer.TryWrite(key);
    }

    /// <summary>A model's annotations changed: its next check comes no later than they ask for.</summary>
    public void Hasten(ModelSpec spec)
    {
        if (records.Find(spec.Key) is not { Phase: ModelPhase.Ready } record || !_due.TryGetValue(spec.Key, out var due)) return;
        var soonest = (record.LastCheck ?? time.GetUtcNow()) + PolicyOf(spec).Interval;
        if (soonest < due && _due.TryUpdate(spec.Key, soonest, due)) Rescheduled.Call();
    }

    public void Forget(ModelKey key)
    {
        _due.TryRemove(key, out _);
        _reported.TryRemove(key, out _);
        _requests.Forget(key);
        _unsaved.TryRemove(key, out _);
        _undecided.TryRemove(key, out _);
        observer.Forget(key);
    }

    /// <summary>Someone asks for a full check; any value that was not answered yet counts.</summary>
    public void Request(ModelKey key, FullCheckRequest asked)
    {
        if (!_requests.Ask(key, records.Find(key), asked)) return;
        Due(key, time.GetUtcNow());
        _woken.Writer.TryWrite(key);
    }

    /// <summary>The model's annotations are known: what a check found before that is looked at again, and acted upon as they say.</summary>
    public void Decide(ModelKey key)
    {
        if (!_undecided.TryRemove(key, out _)) return;
        Due(key, time.GetUtcNow());
        _woken.Writer.TryWrite(key);
    }

    /// <summary>The model is no longer wanted as it was: whatever is done with its files ends.</summary>
    public void Interrupt(ModelKey key)
    {
        checks.Interrupt(key);
        if (_repairing.TryGetValue(key, out var repair)) repair.Cancel();
    }

    /// <summary>Runs at once what became due before the models were listed: until then there was no wish to hold a record against.</summary>
    public void WakeDue()
    {
        foreach (var key in Overdue(TimeSpan.Zero)) _woken.Writer.TryWrite(key);
    }

    /// <summary>Models whose check is overdue by more than <paramref name="grace"/>: whoever should have run it could not.</summary>
    public IReadOnlyList<ModelKey> Overdue(TimeSpan grace)
    {
        var limit = time.GetUtcNow() - grace;
        return [.. _due.Where(pair => pair.Value < limit).Select(pair => pair.Key)];
    }

    /// <summary>What publishing needs to know of a model's check; null when it has none.</summary>
    public CheckFacts? Facts(ModelRecord record, ModelSpec spec, TimeSpan? duration = null)
    {
        if (record.Phase is not (ModelPhase.Ready or ModelPhase.Withdrawn)) return null;
        var policy = PolicyOf(spec);
        var state = manifests.Open(record.Key, new SourceIdentity(record.StorageUri, record.StoragePath, null)).State;
        DateTimeOffset? next = _due.TryGetValue(record.Key, out var due) ? due : null;
        return new CheckFacts(policy, state?.Manifest.Trust, state?.Manifest.Entries.Length ?? 0, state?.Manifest.TotalBytes ?? 0, next, duration);
    }

    /// <summary>Does what is due for a model and says when to come back; null when there is nothing to come back for.</summary>
    public async Task<TimeSpan?> RunAsync(ModelKey key, CheckTrigger trigger, CancellationToken cancellationToken)
    {
        if (trigger == CheckTrigger.Timer && Remaining(key) is { } wait && wait > TimeSpan.Zero) return wait;
        using var hold = trigger == CheckTrigger.Suspicion ? await EnterForSuspicionAsync(key, cancellationToken) : await gates.EnterAsync(key, cancellationToken);
        if (hold is null) return null;
        if (records.Find(key) is not { Phase: ModelPhase.Ready or ModelPhase.Withdrawn } record)
        {
            // Nothing is due of it until it is Ready, which schedules it; what is asked for meanwhile stays asked.
            _due.TryRemove(key, out _);
            return null;
        }

        if (catalog.FindFor(record) is not { Destination: { } destination } wish) return null;
        if (!record.IsAbout(wish.Spec, destination)) return null;
        if (trigger == CheckTrigger.Timer && Remaining(key) is { } still && still > TimeSpan.Zero) return still;

        var policy = PolicyOf(wish.Spec);
        var asked = _requests.Of(key);
        if (IsOff(policy, record, asked)) return Next(key, policy.Interval);
        var identity = new SourceIdentity(record.StorageUri, record.StoragePath, null);
        var (state, problem) = manifests.Open(key, identity);
        if (state is null) return wish.IsGuessed ? LeaveOpen(record, policy) : Unverifiable(record, wish, policy, problem!);

        var subject = new CheckSubject(destination, BoundaryOf(destination), state.Ledger, FleetSpread.Seed(options.NodeName, key.DataKey));
        CheckReport? report = null;
        foreach (var request in Requests(record, policy, trigger, state.Ledger, asked))
        {
            if (await checks.RunAsync(key, identity, subject, request, cancellationToken) is not { } ended) return Next(key, TimeSpan.Zero);
            observer.Checked(record.Key, wish.Spec, report = ended);
            if (report.Verdict.Result != CheckResult.Valid) break;
        }

        // A check takes up to hours. What it found is of the files that were wanted when it began; what follows from it is for the annotations of now to say.
        if (catalog.FindFor(record) is not { Destination: { } wanted } newest || !record.IsAbout(newest.Spec, wanted)) return null;
        policy = PolicyOf(newest.Spec);
        if (newest.IsGuessed) return Note(record, policy, report!);
        if (IsOff(policy, record, asked)) return Next(key, policy.Interval);
        var again = Conclude(record, newest, policy, state, report!, asked, await AskAsync(record, newest, policy, report!, cancellationToken));
        if (newest.IsRemembered || policy.OnDamage != DamageAction.WithdrawAndRepair || report!.Verdict.Result != CheckResult.Invalid || records.Find(key) is not { Phase: ModelPhase.Withdrawn }) return again;
        return await RepairAsync(newest, destination, state.Manifest, report.Verdict.Findings, cancellationToken) is { } pause ? Next(key, pause) : again;
    }

    /// <summary>
    /// The check that is due. The first one of a withdrawn model names all that is bad; those after it begin with that: while it is so, reading all the
    /// rest again helps nobody.
    /// </summary>
    private IEnumerable<CheckRequest> Requests(ModelRecord record, VerificationPolicy policy, CheckTrigger trigger, VerificationLedger ledger, FullCheckRequest asked)
    {
        var isWithdrawn = record.Phase == ModelPhase.Withdrawn;
        var isNamed = isWithdrawn && record.ReadmissionAttempts > 0;
        var request = new CheckRequest
        {
            Policy = isWithdrawn ? policy with { Digest = PassDigest.Sha256 } : policy,
            Scope = CheckScope.Presence,
            // Known damage that is only reported must not keep the rest from being proven.
            StopAtDamage = isWithdrawn ? isNamed : policy.OnDamage != DamageAction.ReportOnly && record.Validation?.Result != ValidationResults.Invalid,
            Checkpoint = proven => Checkpoint(record.Key, proven),
        };
        if (isNamed) yield return request with { StopAtDamage = false };
        if (isWithdrawn || asked.IsOpen)
        {
            ledger.RequestFullPass(time.GetUtcNow(), restart: isWithdrawn);
            yield return request with { Scope = CheckScope.Full, MaxBytes = long.MaxValue };
        }
        else
        {
            yield return trigger == CheckTrigger.Suspicion || policy.Mode != IntegrityMode.Deep ? request : request with { Scope = CheckScope.Scheduled };
        }
    }

    private async Task<TimeSpan?> RepairAsync(ModelWish wish, string destination, ArtifactManifest manifest, IReadOnlyList<FileFinding> findings, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _repairing[wish.Spec.Key] = stop;
        try
        {
            return await repairs.RepairAsync(wish, destination, manifest, findings, stop.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return TimeSpan.Zero;
        }
        finally
        {
            _repairing.TryRemove(wish.Spec.Key, out _);
        }
    }

    /// <summary>A disk that does not take our own notes costs reading again after a restart, never a verdict.</summary>
    private void Checkpoint(ModelKey key, VerificationLedger proven)
    {
        try
        {
            manifests.SaveLedger(key, proven);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            LogNotKept(key, refused.Message);
        }
    }

    /// <summary>Waits for the model's turn, hurrying a running check when there is damage to be seen. Null when another suspicion waits already: it will see the same.</summary>
    private async Task<IDisposable?> EnterForSuspicionAsync(ModelKey key, CancellationToken cancellationToken)
    {
        await checks.LookBesideAsync(key, cancellationToken);
        if (!_suspected.TryAdd(key, true)) return null;
        try
        {
            return await gates.EnterAsync(key, cancellationToken);
        }
        finally
        {
            _suspected.TryRemove(key, out _);
        }
    }

    /// <summary>Whether a withdrawal that is due may go through; null when none is.</summary>
    private async Task<BrakeRuling?> AskAsync(ModelRecord record, ModelWish wish, VerificationPolicy policy, CheckReport report, CancellationToken cancellationToken)
    {
        var due = record.Phase == ModelPhase.Ready && report.Verdict.Result == CheckResult.Invalid && policy.OnDamage != DamageAction.ReportOnly;
        return due && !brake.IsOff && Facts(record, wish.Spec) is { } facts ? await brake.AskAsync(record, wish.Spec, facts, cancellationToken) : null;
    }

    private VerificationPolicy PolicyOf(ModelSpec spec) => PolicyReader.Read(options.Policy, spec.Integrity).Policy;

    private static bool IsOff(VerificationPolicy policy, ModelRecord record, FullCheckRequest asked) => policy.Mode == IntegrityMode.Off && record.Phase == ModelPhase.Ready && !asked.IsOpen;

    private string? BoundaryOf(string destination) =>
        destination.StartsWith(options.ModelsRoot.TrimEnd('/') + "/", StringComparison.Ordinal) ? options.ModelsRoot.TrimEnd('/') : null;

    private TimeSpan Next(ModelKey key, TimeSpan wait)
    {
        Due(key, time.GetUtcNow() + wait);
        return wait;
    }

    private void Due(ModelKey key, DateTimeOffset at)
    {
        _due[key] = at;
        Rescheduled.Call();
    }

    private static TimeSpan ReadmissionPause(int attempts) =>
        TimeSpan.FromTicks(Math.Min(LastReadmission.Ticks, FirstReadmission.Ticks << Math.Min(attempts, 12)));
}
