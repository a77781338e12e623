using Ome.Agent.Models;
using Ome.Agent.Publishing;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Integrity;

/// <summary>What a check's report means: the model's next phase, when to look again, what is saved and said.</summary>
public sealed partial class IntegrityService
{
    private TimeSpan Conclude(ModelRecord record, ModelWish wish, VerificationPolicy policy, ProofState state, CheckReport report, FullCheckRequest asked, BrakeRuling? ruling)
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
            : policy.Interval;
        if (report.FullPassEnded)
        {
            after = asked.AnswerIn(after);
            _requests.Answered(record.Key, asked);
        }

        // What is still asked for waits for nothing but files that could not be looked at.
        if (phase == ModelPhase.Ready && _requests.Of(record.Key).IsOpen) again = report.Verdict.Result != CheckResult.Inconclusive ? TimeSpan.Zero : again < RequestRetry ? again : RequestRetry;
        Next(record.Key, again);
        Save(record, after, wish, happened, report.Duration, now, claimed: ruling is not null);
        observer.Held(record.Key, after.HeldSince is not null);
        if (phase != record.Phase) Moved(record, after);
        return again;
    }

    /// <summary>
    /// Whether anybody wants to hear of damage, and what follows from it, is for annotations to say that are not known yet: the proofs are kept, nothing is
    /// concluded or published, and what is not as it was reported is looked at again as soon as they are known.
    /// </summary>
    private TimeSpan Note(ModelRecord record, VerificationPolicy policy, CheckReport report)
    {
        var key = record.Key;
        var now = time.GetUtcNow();
        records.Keep(record with { LastCheck = now, LastDeepCheck = report.FullPassEnded ? now : record.LastDeepCheck });
        if (report.Verdict.Result.ToString() == record.Validation?.Result) return Next(key, policy.Interval);
        if (report.Verdict.Result != CheckResult.Valid) LogUndecided(key, report.Verdict.Result, CheckOutcome.Message(record, report));
        return LeaveOpen(record, policy);
    }

    private TimeSpan LeaveOpen(ModelRecord record, VerificationPolicy policy)
    {
        _undecided[record.Key] = true;
        // They may have become known in this moment.
        return Next(record.Key, catalog.FindFor(record) is { IsGuessed: true } ? policy.Interval : TimeSpan.Zero);
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
        var same = !claimed && !_unsaved.ContainsKey(after.Key) && before.HeldSince == after.HeldSince && before.ReadErrors == after.ReadErrors && before.Phase == after.Phase && CheckOutcome.SaysTheSame(before.Validation, after.Validation)
            // Whoever asked waits for the answer, and a restart must not read everything for the same question again.
            && before.AnsweredRequest == after.AnsweredRequest && before.AnsweredCheckRequest == after.AnsweredCheckRequest;
        if (same && _reported.TryGetValue(after.Key, out var last) && now - last < options.ReportHeartbeat)
        {
            // The wire keeps the times of the last report; the record must not promise otherwise after a restart.
            records.Keep(after with { Validation = before.Validation });
            return;
        }

        Keep(after);
        _reported[after.Key] = now;
        _ = publisher.PublishAsync(publications.Of(after, wish.Spec, Facts(after, wish.Spec, duration), happened));
    }

    /// <summary>A full disk must not keep a damaged model advertised: what cannot be saved is said all the same, and saved with the next check.</summary>
    private void Keep(ModelRecord record)
    {
        try
        {
            records.Save(record);
            _unsaved.TryRemove(record.Key, out _);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            _unsaved[record.Key] = true;
            records.Keep(record);
            LogNotKept(record.Key, refused.Message);
        }
    }

    [LoggerMessage(EventId = 2201, Level = LogLevel.Warning, Message = "{Model} goes from {Before} to {After}: {Why}")]
    private partial void LogTransition(ModelKey model, ModelPhase before, ModelPhase after, string why);

    [LoggerMessage(EventId = 2203, Level = LogLevel.Warning, Message = "{Model} is {Result} ({Why}); what follows waits for its object, since the record of an earlier agent does not say what its annotations ask for")]
    private partial void LogUndecided(ModelKey model, CheckResult result, string why);

    [LoggerMessage(EventId = 2202, Level = LogLevel.Error, Message = "What is known of {Model} could not be saved, and would be forgotten by a restart: {Problem}")]
    private partial void LogNotKept(ModelKey model, string problem);
}
