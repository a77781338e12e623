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

    private readonly ConcurrentDictionary<ModelKey, DateTimeOffset> _due = new();
    private readonly ConcurrentDictionary<ModelKey, DateTimeOffset> _reported = new();
    private readonly ConcurrentDictionary<ModelKey, string> _requests = new();
    private readonly ConcurrentDictionary<ModelKey, bool> _suspected = new();
    private readonly Channel<ModelKey> _woken = Channel.CreateUnbounded<ModelKey>();

    /// <summary>Models that became due at once; each is read by one reader.</summary>
    public ChannelReader<ModelKey> Woken => _woken.Reader;

    /// <summary>A model became Ready, or the agent started: its first check comes after its place in the jitter, or at once.</summary>
    public void Schedule(ModelKey key, bool atOnce)
    {
        var phase = atOnce ? TimeSpan.Zero : FleetSpread.StartPhase(FleetSpread.Seed(options.NodeName, key.DataKey), options.StartJitter);
        _due[key] = time.GetUtcNow() + phase;
        if (phase == TimeSpan.Zero) _woken.Writer.TryWrite(key);
    }

    public void Forget(ModelKey key)
    {
        _due.TryRemove(key, out _);
        _reported.TryRemove(key, out _);
        _requests.TryRemove(key, out _);
        observer.Forget(key);
    }

    /// <summary>Someone asks for a full check; any value that was not answered yet counts.</summary>
    public void Request(ModelKey key, string? requestedAt)
    {
        if (string.IsNullOrEmpty(requestedAt) || records.Find(key)?.AnsweredRequest == requestedAt) return;
        _requests[key] = requestedAt;
        _due[key] = time.GetUtcNow();
        _woken.Writer.TryWrite(key);
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
        var policy = PolicyReader.Read(options.Policy, spec.Integrity).Policy;
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
        if (records.Find(key) is not { Phase: ModelPhase.Ready or ModelPhase.Withdrawn } record || catalog.Find(key) is not { Destination: { } destination } wish) return null;
        if (!record.IsAbout(wish.Spec, destination)) return null;
        if (trigger == CheckTrigger.Timer && Remaining(key) is { } still && still > TimeSpan.Zero) return still;

        var policy = PolicyReader.Read(options.Policy, wish.Spec.Integrity).Policy;
        if (policy.Mode == IntegrityMode.Off && record.Phase == ModelPhase.Ready) return Next(key, policy.Interval);
        var identity = new SourceIdentity(record.StorageUri, record.StoragePath, null);
        var (state, problem) = manifests.Open(key, identity);
        if (state is null) return Unverifiable(record, wish, policy, problem!);

        var (scope, bound) = ScopeOf(record, policy, trigger, state.Ledger);
        var subject = new CheckSubject(destination, BoundaryOf(destination), state.Ledger, FleetSpread.Seed(options.NodeName, key.DataKey));
        var request = new CheckRequest
        {
            Policy = record.Phase == ModelPhase.Withdrawn ? policy with { Digest = PassDigest.Sha256 } : policy,
            Scope = scope,
            MaxBytes = bound,
            // Known damage that is only reported must not keep the rest from being proven.
            StopAtDamage = record.Phase == ModelPhase.Ready && policy.OnDamage != DamageAction.ReportOnly && record.Validation?.Result != ValidationResults.Invalid,
            Checkpoint = ledger => manifests.SaveLedger(key, ledger),
        };
        if (await checks.RunAsync(key, identity, subject, request, cancellationToken) is not { } report) return Next(key, TimeSpan.Zero);
        observer.Checked(record.Key, wish.Spec, report);
        var again = Conclude(record, wish, policy, state, report, scope, await AskAsync(record, wish, policy, report, cancellationToken));
        if (policy.OnDamage != DamageAction.WithdrawAndRepair || report.Verdict.Result != CheckResult.Invalid || records.Find(key) is not { Phase: ModelPhase.Withdrawn }) return again;
        return await repairs.RepairAsync(wish, destination, state.Manifest, report.Verdict.Findings, cancellationToken) is { } pause ? Next(key, pause) : again;
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

    private TimeSpan Conclude(ModelRecord record, ModelWish wish, VerificationPolicy policy, ProofState state, CheckReport report, CheckScope scope, BrakeRuling? ruling)
    {
        var now = time.GetUtcNow();
        var damaged = report.Verdict.Result == CheckResult.Invalid;
        var proven = report.Verdict.Result == CheckResult.Valid && report.FullPassEnded;
        var (phase, happened) = (record.Phase, damaged, proven) switch
        {
            (ModelPhase.Ready, true, _) => Damage(record, policy, report, ruling),
            (ModelPhase.Withdrawn, _, true) => (ModelPhase.Ready, new PublishedEvent("NodeReadmitted", $"{record.Name} is intact again on {options.NodeName}: a full check of {report.FilesChecked} files passed", IsWarning: false)),
            _ => (record.Phase, null),
        };

        var after = CheckOutcome.Apply(record, report, phase, state.Digest, wish.Spec.Generation, now) with
        {
            AnsweredRequest = scope == CheckScope.Full && report.FullPassEnded ? Answered(record) : record.AnsweredRequest,
            HeldSince = FleetBrake.HeldSince(record, phase, report.Verdict.Result, ruling, now),
            ReadmissionAttempts = phase == ModelPhase.Withdrawn ? record.ReadmissionAttempts + (record.Phase == ModelPhase.Withdrawn ? 1 : 0) : 0,
        };
        if (phase == ModelPhase.Withdrawn && report.Verdict.Result == CheckResult.Valid)
        {
            // Not yet proven in full: it stays withdrawn for what was found, whatever the last look missed.
            after = after with { Reason = record.Reason, Message = record.Message };
        }

        var again = phase == ModelPhase.Withdrawn ? ReadmissionPause(after.ReadmissionAttempts)
            : ruling is { IsHeld: true } held ? brake.Pause(after, policy.Interval, held, now)
            : _requests.ContainsKey(record.Key) ? TimeSpan.Zero : policy.Interval;
        if (report.FullPassEnded) _requests.TryRemove(record.Key, out _);
        Next(record.Key, again);
        Save(record, after, wish, happened, report.Duration, now, claimed: ruling is not null);
        observer.Held(record.Key, after.HeldSince is not null);
        if (phase != record.Phase) Moved(record, after);
        return again;
    }

    private void Moved(ModelRecord before, ModelRecord after)
    {
        LogTransition(before.Key, before.Phase, after.Phase, after.Message ?? "intact");
        if (after.Phase == ModelPhase.Withdrawn) observer.Withdrawn(after.Key, after.Reason ?? "");
        else observer.Readmitted(after.Key);
    }

    /// <summary>Withdraws, unless the policy or the brake says to report only.</summary>
    private (ModelPhase Phase, PublishedEvent? Happened) Damage(ModelRecord record, VerificationPolicy policy, CheckReport report, BrakeRuling? ruling)
    {
        var message = CheckOutcome.Message(record, report);
        if (policy.OnDamage == DamageAction.ReportOnly)
        {
            var known = record.Validation?.Result == ValidationResults.Invalid;
            return (ModelPhase.Ready, known ? null : new PublishedEvent("ArtifactDamaged", $"{record.Name} is damaged on {options.NodeName}: {message}; reported only", IsWarning: true));
        }

        if (ruling is { IsHeld: true })
        {
            return (ModelPhase.Ready, record.HeldSince is not null ? null : new PublishedEvent("WithdrawalHeld", $"{record.Name} is damaged on {options.NodeName}: {message}; it stays advertised, since the failure budget {options.MaxWithdrawals} is used up", IsWarning: true));
        }

        return (ModelPhase.Withdrawn, new PublishedEvent("NodeWithdrawn", $"{record.Name} is damaged on {options.NodeName}: {message}; readmission after a full check passes", IsWarning: true));
    }

    private TimeSpan Unverifiable(ModelRecord record, ModelWish wish, VerificationPolicy policy, ManifestLoad.Unusable problem)
    {
        var now = time.GetUtcNow();
        var known = record.Validation is { Result: ValidationResults.Inconclusive } said && said.Reason == problem.Reason.ToString() ? said.Message : null;
        var after = record with
        {
            LastCheck = now,
            Findings = [],
            Validation = new ReportedValidation
            {
                Mode = nameof(CheckMode.Basic),
                Result = ValidationResults.Inconclusive,
                Reason = problem.Reason.ToString(),
                // Whoever made the model Ready may know better why there is none.
                Message = known ?? problem.Message,
                LastCheckedTime = now,
                ObservedGeneration = wish.Spec.Generation,
            },
        };
        Next(record.Key, policy.Interval);
        Save(record, after, wish, null, TimeSpan.Zero, now);
        observer.Unverifiable(record.Key, wish.Spec, problem.Reason);
        return policy.Interval;
    }

    /// <summary>Durable first, published after; a report that says the same is published at most once per heartbeat.</summary>
    private void Save(ModelRecord before, ModelRecord after, ModelWish wish, PublishedEvent? happened, TimeSpan duration, DateTimeOffset now, bool claimed = false)
    {
        // A claim on the wire is taken back by what is said next.
        var same = !claimed && before.HeldSince == after.HeldSince && before.Phase == after.Phase && CheckOutcome.SaysTheSame(before.Validation, after.Validation);
        if (same && _reported.TryGetValue(after.Key, out var last) && now - last < options.ReportHeartbeat)
        {
            // The wire keeps the times of the last report; the record must not promise otherwise after a restart.
            records.Keep(after with { Validation = before.Validation });
            return;
        }

        records.Save(after);
        _reported[after.Key] = now;
        _ = publisher.PublishAsync(publications.Of(after, wish.Spec, Facts(after, wish.Spec, duration), happened));
    }

    private (CheckScope Scope, long? MaxBytes) ScopeOf(ModelRecord record, VerificationPolicy policy, CheckTrigger trigger, VerificationLedger ledger)
    {
        if (record.Phase == ModelPhase.Withdrawn)
        {
            ledger.RequestFullPass(time.GetUtcNow(), restart: true);
            return (CheckScope.Full, long.MaxValue);
        }

        if (_requests.ContainsKey(record.Key))
        {
            ledger.RequestFullPass(time.GetUtcNow());
            return (CheckScope.Full, long.MaxValue);
        }

        if (trigger == CheckTrigger.Suspicion || policy.Mode != IntegrityMode.Deep) return (CheckScope.Presence, null);
        return (CheckScope.Scheduled, null);
    }

    private string? Answered(ModelRecord record) => _requests.TryGetValue(record.Key, out var asked) ? asked : record.AnsweredRequest;

    private string? BoundaryOf(string destination) =>
        destination.StartsWith(options.ModelsRoot.TrimEnd('/') + "/", StringComparison.Ordinal) ? options.ModelsRoot.TrimEnd('/') : null;

    private TimeSpan? Remaining(ModelKey key) => _due.TryGetValue(key, out var due) ? due - time.GetUtcNow() : null;

    private TimeSpan Next(ModelKey key, TimeSpan wait)
    {
        _due[key] = time.GetUtcNow() + wait;
        return wait;
    }

    private static TimeSpan ReadmissionPause(int attempts) =>
        TimeSpan.FromTicks(Math.Min(LastReadmission.Ticks, FirstReadmission.Ticks << Math.Min(attempts, 12)));

    [LoggerMessage(EventId = 2201, Level = LogLevel.Warning, Message = "{Model} goes from {Before} to {After}: {Why}")]
    private partial void LogTransition(ModelKey model, ModelPhase before, ModelPhase after, string why);
}
