using System.Collections.Concurrent;
using Ome.Agent.Models;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Integrity;

/// <summary>
/// Runs checks, and ends a long one early when the kernel told of a change that is damage: a pass over all content takes minutes to hours, and what
/// schedules pods must not wait for it. The look beside it concludes nothing; what it saw is judged again by the check that follows.
/// </summary>
public sealed class RunningChecks(VerificationRunner runner, ManifestStore manifests, TimeProvider time)
{
    private readonly ConcurrentDictionary<ModelKey, Running> _running = new();

    private sealed class Running(CheckSubject subject, CheckRequest request, SourceIdentity source, long started)
    {
        /// <summary>Looks asked for since the one under way began; 0 when there is none.</summary>
        public int Asked;

        public CheckSubject Subject => subject;

        public CheckRequest Request => request;

        public SourceIdentity Source => source;

        /// <summary>When somebody last looked beside it, or it began.</summary>
        public long LookedAt = started;

        public TaskCompletionSource Interrupted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>False while no check is under way.</summary>
    public bool Any => !_running.IsEmpty;

    /// <summary>True while a check of the model is under way.</summary>
    public bool IsRunning(ModelKey key) => _running.ContainsKey(key);

    /// <summary>Models whose check has run for so long that a Basic one would be due, and nobody looked beside it.</summary>
    public IReadOnlyList<ModelKey> Unwatched(TimeSpan interval) => [.. _running.Where(pair => time.GetElapsedTime(Volatile.Read(ref pair.Value.LookedAt)) >= interval).Select(pair => pair.Key)];

    /// <summary>The model is no longer wanted as it was: its check ends, what it proved is kept.</summary>
    public void Interrupt(ModelKey key)
    {
        if (_running.TryGetValue(key, out var running)) running.Interrupted.TrySetResult();
    }

    /// <summary>Runs a check, the only one of its model; null when it was ended for the sake of a new look. What it proved is kept.</summary>
    public async Task<CheckReport?> RunAsync(ModelKey key, SourceIdentity source, CheckSubject subject, CheckRequest request, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new Running(subject, request, source, time.GetTimestamp());
        _running[key] = running;
        try
        {
            var check = runner.RunAsync(subject, request, stop.Token);
            if (await Task.WhenAny(check, running.Interrupted.Task) != check) await stop.CancelAsync();
            var report = await check;
            cancellationToken.ThrowIfCancellationRequested();
            return report.Verdict.Reason == FindingReason.Cancelled && running.Interrupted.Task.IsCompleted ? null : report;
        }
        finally
        {
            _running.TryRemove(key, out _);
        }
    }

    /// <summary>Something changed below the model: a running check that would stop at damage is ended when there is some to be seen.</summary>
    public async Task LookBesideAsync(ModelKey key, CancellationToken cancellationToken)
    {
        if (!_running.TryGetValue(key, out var running)) return;
        Volatile.Write(ref running.LookedAt, time.GetTimestamp());
        if (!running.Request.StopAtDamage) return;
        // One look at a time: whoever finds it under way has it look once more.
        if (Interlocked.Increment(ref running.Asked) > 1) return;
        try
        {
            int seen;
            do
            {
                seen = Volatile.Read(ref running.Asked);
                if (await SeesDamageAsync(key, running, cancellationToken)) running.Interrupted.TrySetResult();
            }
            while (!running.Interrupted.Task.IsCompleted && Interlocked.CompareExchange(ref running.Asked, 0, seen) != seen);
        }
        catch
        {
            Volatile.Write(ref running.Asked, 0);
            throw;
        }
    }

    private async Task<bool> SeesDamageAsync(ModelKey key, Running running, CancellationToken cancellationToken)
    {
        if (manifests.OpenBeside(key, running.Source).State is not { } state) return false;
        var look = new CheckRequest { Policy = running.Request.Policy, Scope = CheckScope.Presence, StopAtDamage = true };
        var report = await runner.RunAsync(running.Subject with { Ledger = state.Ledger }, look, cancellationToken);
        return report.Verdict.Result == CheckResult.Invalid;
    }
}
