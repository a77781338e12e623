using System.Collections.Concurrent;
using Ome.Agent.Hosting;
using Ome.Agent.Models;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Integrity;

/// <summary>
/// Runs the checks nobody else runs: those that became due at once, and those that are overdue. KubeOps asks the API server before each run, so an outage
/// of the API would stop all proving; the verdict is durable and published when the API is back. And KubeOps knows only the times its own runs gave it:
/// a check that a file event brought forward comes due earlier than that.
/// </summary>
public sealed partial class IntegrityKeeper(IntegrityService integrity, RunningChecks checks, ModelRecordStore records, AgentOptions options, TimeProvider time, ILogger<IntegrityKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<ModelKey, bool> _under = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.WhenAll(RunWokenAsync(stoppingToken), RunOverdueAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task RunWokenAsync(CancellationToken cancellationToken)
    {
        await foreach (var key in integrity.Woken.ReadAllAsync(cancellationToken)) _ = RunAsync(key, cancellationToken);
    }

    private async Task RunOverdueAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await integrity.Rescheduled.WaitAsync(Pause(), time, cancellationToken);
            // Side by side: a pass that takes hours holds up no other model.
            foreach (var key in integrity.Overdue(Grace).Where(key => !checks.IsRunning(key) && _under.TryAdd(key, true))) _ = RunOnceAsync(key, cancellationToken);
            // What no file event tells is seen within an interval during such a pass too.
            foreach (var key in checks.Unwatched(options.Policy.Interval)) _ = LookAsync(key, cancellationToken);
        }
    }

    /// <summary>
    /// Until the next check would be overdue: an agent that looked every second would wake for nothing all day. While one is overdue or under way it does. A check that begins without
    /// being due is noticed within an interval, and no clock that is set stretches a pause beyond a minute.
    /// </summary>
    private TimeSpan Pause()
    {
        var longest = options.Policy.Interval < LongestPause ? options.Policy.Interval : LongestPause;
        var left = checks.Any ? Look : integrity.NextDue is { } due ? due + Grace - time.GetUtcNow() : longest;
        return left < Look ? Look : left < longest ? left : longest;
    }

    private async Task RunOnceAsync(ModelKey key, CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync(key, cancellationToken);
        }
        finally
        {
            _under.TryRemove(key, out _);
        }
    }

    private async Task LookAsync(ModelKey key, CancellationToken cancellationToken)
    {
        try
        {
            await checks.LookBesideAsync(key, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            LogFailed(error, key);
        }
    }

    private async Task RunAsync(ModelKey key, CancellationToken cancellationToken)
    {
        try
        {
            if (records.Find(key) is null) integrity.Forget(key);
            else await integrity.RunAsync(key, CheckTrigger.Timer, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            LogFailed(error, key);
        }
    }

    [LoggerMessage(EventId = 2211, Level = LogLevel.Warning, Message = "The check of {Model} could not run; tried again soon")]
    private partial void LogFailed(Exception error, ModelKey model);
}
