using System.Net;
using k8s.Autorest;
using Ome.Agent.Hosting;
using Ome.Agent.Models;
using Ome.Agent.Publishing;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Integrity;

/// <summary>
/// Asks the fleet whether this node may withdraw a model (docs/designs/0009). Where the fleet cannot be asked at all, for want of the CRD or of a right,
/// the models of this node stand for it; while the API server is away the withdrawal waits, since it could not be published anyway.
/// </summary>
public sealed partial class FleetBrake(
    FleetChecks fleet, ReportPublisher publisher, Publications publications, ModelRecordStore records, AgentOptions options, TimeProvider time, ILogger<FleetBrake> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly WithdrawalLimit _limit = WithdrawalLimit.TryParse(options.MaxWithdrawals, out var limit) ? limit : WithdrawalLimit.None;

    public bool IsOff => _limit.IsOff;

    /// <summary>Claims, counts and judges. Whatever it answers, the caller publishes the model's new state next, which takes the claim back.</summary>
    public async Task<BrakeRuling> AskAsync(ModelRecord record, ModelSpec spec, CheckFacts facts, CancellationToken cancellationToken)
    {
        if (IsOff) return BrakeRuling.Free;
        try
        {
            // A claim that could not be written in time does not stand in the way of counting.
            var claim = publisher.PublishAsync(publications.Of(record, spec, facts with { ClaimedAt = time.GetUtcNow() }));
            await claim.WaitAsync(Patience, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            var nodes = await fleet.ReadAsync(record.Key, record.Uid, cancellationToken).WaitAsync(Patience, time, cancellationToken);
            return WithdrawalBrake.Judge(_limit, options.MaxWithdrawalsWindow, options.NodeName, nodes, time.GetUtcNow());
        }
        catch (HttpOperationException closed) when (closed.Response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Forbidden)
        {
            LogLocal(record.Key, ApiError.Describe(closed));
            return WithdrawalBrake.Judge(_limit, options.MaxWithdrawalsWindow, record.Key.DataKey, Local(), time.GetUtcNow());
        }
        catch (Exception away) when (away is HttpOperationException or HttpRequestException or TimeoutException or IOException
            || (away is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogAway(record.Key, ApiError.Describe(away));
            return new BrakeRuling(true, 0, 0, Patience);
        }
    }

    /// <summary>
    /// Held from the first ruling that says so until the files are intact, the withdrawal goes through, or nobody would withdraw; a check that could not look
    /// changes nothing.
    /// </summary>
    public static DateTimeOffset? HeldSince(ModelRecord before, ModelPhase phase, CheckResult result, BrakeRuling? ruling, DateTimeOffset now)
    {
        if (phase != ModelPhase.Ready || result == CheckResult.Valid) return null;
        if (result == CheckResult.Inconclusive) return before.HeldSince;
        return ruling is { IsHeld: true } ? before.HeldSince ?? now : null;
    }

    /// <summary>When a held model is checked and judged again: later the longer it is held, and drawn anew on every node each time, so that those who met once do not meet for ever.</summary>
    public TimeSpan Pause(ModelRecord held, TimeSpan interval, BrakeRuling ruling, DateTimeOffset now)
    {
        var waited = now - (held.HeldSince ?? now);
        var least = (waited > ruling.Again ? waited : ruling.Again) / 2;
        var lot = StableHash.Of((ulong)now.ToUnixTimeMilliseconds(), FleetSpread.Seed(options.NodeName, held.Key.DataKey));
        var pause = least + FleetSpread.StartPhase(lot, least * 2);
        return pause < interval ? pause : interval;
    }

    private IEnumerable<FleetNode> Local() => records.All.Where(record => record.Phase is ModelPhase.Ready or ModelPhase.Withdrawn)
        .Select(record => new FleetNode(record.Key.DataKey, record.Phase == ModelPhase.Withdrawn ? FleetState.Withdrawn : FleetState.Ready, record.Since));

    [LoggerMessage(EventId = 2241, Level = LogLevel.Warning, Message = "Whether {Model} may be withdrawn is judged by this node's models alone: {Problem}")]
    private partial void LogLocal(ModelKey model, string problem);

    [LoggerMessage(EventId = 2242, Level = LogLevel.Warning, Message = "{Model} is damaged; its withdrawal waits for the API server: {Problem}")]
    private partial void LogAway(ModelKey model, string problem);
}
