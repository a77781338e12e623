using System.Net;
using k8s.Autorest;
using Ome.Agent.Hosting;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Publishing;

/// <summary>
/// Brings the newest publication of every model to label, ConfigMap, ModelIntegrityCheck and Event. Promises: one flush at a time; a storm of changes is
/// one write per object; what is withdrawn goes label first, what is admitted gets its label last (design 6), so Ready is never shown too early or too
/// long; a failed write is tried again until it is done or superseded; a check the API server refuses holds up no label and no entry; nothing is written
/// that is already so.
/// </summary>
public sealed partial class ReportPublisher(
    NodeLabelSink labels, ConfigMapSink reports, CheckSink checks, ModelEventSink events, TimeProvider time, ILogger<ReportPublisher> logger)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private const int MostEvents = 8;
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<ModelKey, Pending> _pending = [];
    private readonly Dictionary<ModelKey, Publication> _wanted = [];
    private TaskCompletionSource _changed = NewSignal();
    private readonly Wake _answered = new();
    private bool _failing;

    private delegate Task Write(IReadOnlyList<Publication> batch, Dictionary<ModelKey, HttpOperationException> refusals, CancellationToken cancellationToken);

    private sealed record Pending(Publication Publication, List<TaskCompletionSource> Waiting);

    /// <summary>Models whose newest publication is not written yet.</summary>
    public int Backlog
    {
        get
        {
            lock (_gate) return _pending.Count;
        }
    }

    /// <summary>True while the API server takes nothing.</summary>
    public bool IsFailing => Volatile.Read(ref _failing);

    /// <summary>Supersedes what was to be said of the model. The task ends when this, or something newer, is written; a check that is refused is not waited for.</summary>
    public Task PublishAsync(Publication publication)
    {
        var done = NewSignal();
        lock (_gate)
        {
            // A list of its own: the older one may be on its way out just now, and its writing answers those who waited before.
            List<TaskCompletionSource> waiting = _pending.TryGetValue(publication.Key, out var older) ? [.. older.Waiting, done] : [done];
            // An event not yet written still happened: it is not lost with the publication that carried it. A long outage keeps the newest.
            if (older is not null) publication = publication with { Events = [.. older.Publication.Events.Concat(publication.Events).TakeLast(MostEvents)] };
            _pending[publication.Key] = new Pending(publication, waiting);
            if (publication.State == NodeModelState.Deleted) _wanted.Remove(publication.Key);
            else _wanted[publication.Key] = publication with { Events = [] };
            _changed.TrySetResult();
        }

        return done.Task;
    }

    /// <summary>Says again what someone else removed or changed: the ConfigMap or the node is not as it should be (contract E14, E15).</summary>
    public void Repeat(Func<Publication, bool> differs)
    {
        lock (_gate)
        {
            foreach (var (key, publication) in _wanted)
            {
                if (!_pending.ContainsKey(key) && differs(publication)) _pending[key] = new Pending(publication, []);
            }

            if (_pending.Count > 0) _changed.TrySetResult();
        }
    }

    /// <summary>The API server answers again: what waits for it is tried now.</summary>
    public void TryNow() => _answered.Call();

    /// <summary>Flushes until cancelled. Never throws for what the API server does.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await WaitForWorkAsync(cancellationToken);
                if (await FlushAsync(cancellationToken) is { } refusal)
                {
                    // Only a check is missing: whatever else there is to say must not wait for it.
                    await ChangedAsync().WaitAsync(Pause(refusal, failures++), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    continue;
                }

                if (failures > 0) LogRecovered(failures);
                failures = 0;
                Volatile.Write(ref _failing, false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                await _answered.WaitAsync(Pause(error, failures++), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private TimeSpan Pause(Exception error, int failures)
    {
        var pause = TimeSpan.FromTicks(Math.Min(LastRetry.Ticks, FirstRetry.Ticks << Math.Min(failures, 10)));
        Volatile.Write(ref _failing, true);
        LogFailed(Backlog, ApiError.Describe(error), pause.TotalSeconds);
        return pause;
    }

    /// <summary>Writes what is pending now. What fails stays pending; gives the first refusal of a check, null when none was.</summary>
    private async Task<HttpOperationException?> FlushAsync(CancellationToken cancellationToken)
    {
        List<Pending> batch;
        lock (_gate)
        {
            batch = [.. _pending.Values];
            _changed = NewSignal();
        }

        // Withdrawals first and by themselves: nothing may hold them up.
        var refusals = new Dictionary<ModelKey, HttpOperationException>();
        await WriteAsync([.. batch.Where(pending => !pending.Publication.Admits)], WithdrawAsync, refusals, cancellationToken);
        await WriteAsync([.. batch.Where(pending => pending.Publication.Admits)], AdmitAsync, refusals, cancellationToken);
        return refusals.Values.FirstOrDefault();
    }

    private async Task WriteAsync(List<Pending> batch, Write write, Dictionary<ModelKey, HttpOperationException> refusals, CancellationToken cancellationToken)
    {
        if (batch.Count == 0) return;
        await write([.. batch.Select(pending => pending.Publication)], refusals, cancellationToken);
        foreach (var (publication, _) in batch)
        {
            foreach (var happened in publication.Events) await events.WriteAsync(publication, happened, cancellationToken);
        }

        var answered = new List<TaskCompletionSource>();
        lock (_gate)
        {
            foreach (var pending in batch)
            {
                var key = pending.Publication.Key;
                if (!_pending.TryGetValue(key, out var newest)) continue;
                var isNewest = ReferenceEquals(newest.Publication, pending.Publication);
                // An admission that was superseded may not have been shown; whoever waited for it waits for what came.
                if (isNewest || !pending.Publication.Admits) answered.AddRange(pending.Waiting);
                if (!isNewest)
                {
                    // What came meanwhile took the Events over, and they are out.
                    _pending[key] = newest with { Publication = newest.Publication with { Events = newest.Publication.Events.RemoveRange(pending.Publication.Events, ReferenceEqualityComparer.Instance) } };
                    continue;
                }

                // What is left of a refused publication is its check: the Events are out.
                if (refusals.ContainsKey(key)) _pending[key] = new Pending(pending.Publication with { Events = [] }, []);
                else _pending.Remove(key);
            }
        }

        foreach (var done in answered) done.TrySetResult();
    }

    private async Task WithdrawAsync(IReadOnlyList<Publication> batch, Dictionary<ModelKey, HttpOperationException> refusals, CancellationToken cancellationToken)
    {
        await labels.ApplyAsync(batch.ToDictionary(publication => publication.Key, publication => publication.State), cancellationToken);
        await reports.ChangeAsync(Changes(batch), cancellationToken);
        await WriteChecksAsync(batch, refusals, cancellationToken);
    }

    private async Task AdmitAsync(IReadOnlyList<Publication> batch, Dictionary<ModelKey, HttpOperationException> refusals, CancellationToken cancellationToken)
    {
        await WriteChecksAsync(batch, refusals, cancellationToken);
        // The checks of many models take their time: who is to be withdrawn by now is not admitted first.
        batch = StillWanted(batch);
        if (batch.Count == 0) return;
        await reports.ChangeAsync(Changes(batch), cancellationToken);
        batch = StillWanted(batch);
        await labels.ApplyAsync(batch.ToDictionary(publication => publication.Key, publication => publication.State), cancellationToken);
    }

    private List<Publication> StillWanted(IReadOnlyList<Publication> batch)
    {
        lock (_gate) return [.. batch.Where(publication => !_pending.TryGetValue(publication.Key, out var newest) || newest.Publication.Admits)];
    }

    private async Task WriteChecksAsync(IReadOnlyList<Publication> batch, Dictionary<ModelKey, HttpOperationException> refusals, CancellationToken cancellationToken)
    {
        foreach (var publication in batch)
        {
            try
            {
                if (publication.Check is { } check) await checks.ApplyAsync(check, cancellationToken);
                else await checks.DeleteAsync(publication.CheckName, cancellationToken);
            }
            catch (HttpOperationException absent) when (absent.Response.StatusCode == HttpStatusCode.NotFound)
            {
                // Without our third CRD the two of OME still work: label and ConfigMap say everything that OME's own readers need.
                LogNoChecks(publication.CheckName);
            }
            catch (HttpOperationException refused)
                when (refused.Response.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity)
            {
                // A right or a policy of this one kind is in the way: what schedules pods does not wait for it.
                refusals[publication.Key] = refused;
            }
        }
    }

    private static Dictionary<string, EntryChange> Changes(IReadOnlyList<Publication> batch) =>
        batch.ToDictionary(publication => publication.Key.DataKey, publication => (EntryChange)publication.EntryFor, StringComparer.Ordinal);

    private async Task WaitForWorkAsync(CancellationToken cancellationToken)
    {
        Task signal;
        lock (_gate)
        {
            if (_pending.Count > 0) return;
            if (_changed.Task.IsCompleted) _changed = NewSignal();
            signal = _changed.Task;
        }

        await signal.WaitAsync(cancellationToken);
    }

    private Task ChangedAsync()
    {
        lock (_gate) return _changed.Task;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(EventId = 2101, Level = LogLevel.Warning, Message = "{Count} reports are not written: {Problem}. Next try in {Seconds} s.")]
    private partial void LogFailed(int count, string problem, double seconds);

    [LoggerMessage(EventId = 2102, Level = LogLevel.Information, Message = "Reports are written again after {Failures} failures.")]
    private partial void LogRecovered(int failures);

    [LoggerMessage(EventId = 2103, Level = LogLevel.Debug, Message = "{Check} is not written: the CRD is not installed (kubectl apply -k config/crd).")]
    private partial void LogNoChecks(string check);
}
