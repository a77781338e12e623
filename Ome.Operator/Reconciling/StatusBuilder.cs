using Ome.Shared.Api;
using Ome.Shared.Domain.Aggregation;
using Ome.Shared.Domain.Models;

namespace Ome.Operator.Reconciling;

/// <summary>The status an aggregate means, with what of the present one stays: times of transitions, when damage was first seen, conditions of others.</summary>
public static class StatusBuilder
{
    /// <summary>Most damaged nodes that are listed; the condition counts the others.</summary>
    public const int MaxDamagedNodes = 100;

    /// <summary>A proof that moves by less is not worth a write of its own.</summary>
    public static readonly TimeSpan ProofStep = TimeSpan.FromMinutes(10);

    private static readonly string[] OwnConditions = [ModelConditions.Ready, ModelConditions.ArtifactsIntact, ModelConditions.SpecValid, ModelConditions.ReportsReadable];

    /// <summary>Builds the status.</summary>
    /// <param name="aggregate">What the nodes say.</param>
    /// <param name="conditions">What that means to people.</param>
    /// <param name="spec">Whose status.</param>
    /// <param name="current">The status now; its times are kept where nothing changed.</param>
    /// <param name="now">For what changed.</param>
    public static BaseModelStatus Build(
        ModelAggregate aggregate, IReadOnlyList<Shared.Domain.Aggregation.ModelCondition> conditions, ModelSpec spec, BaseModelStatus? current, DateTimeOffset now)
    {
        var second = new DateTimeOffset(now.UtcTicks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero);
        return new BaseModelStatus
        {
            Lifecycle = current?.Lifecycle,
            State = WireState(aggregate.State),
            NodesReady = [.. aggregate.NodesReady],
            NodesFailed = [.. aggregate.NodesFailed],
            NodeSummary = aggregate.NodeSummary,
            NodesDamaged = [.. aggregate.NodesDamaged.Take(MaxDamagedNodes).Select(damaged => Damaged(damaged, current, second))],
            OldestProofTime = Proof(aggregate.OldestProof, current?.OldestProofTime),
            ObservedGeneration = spec.Generation,
            Conditions =
            [
                .. conditions.Select(condition => Condition(condition, spec, current, second)),
                .. (current?.Conditions ?? []).Where(static condition => !OwnConditions.Contains(condition.Type, StringComparer.Ordinal)),
            ],
        };
    }

    /// <summary>The wire text of a state (contract 1.7).</summary>
    public static string WireState(ModelState state) => state switch
    {
        ModelState.Ready => BaseModelStatus.States.Ready,
        ModelState.Failed => BaseModelStatus.States.Failed,
        _ => BaseModelStatus.States.InTransit,
    };

    private static Shared.Api.DamagedNode Damaged(Shared.Domain.Aggregation.DamagedNode damaged, BaseModelStatus? current, DateTimeOffset now)
    {
        var known = current?.NodesDamaged?.Find(other => other.Node == damaged.Node && other.Reason == damaged.Reason);
        return new Shared.Api.DamagedNode { Node = damaged.Node, Reason = damaged.Reason, Message = damaged.Message, Since = known?.Since ?? damaged.Since ?? now };
    }

    private static Shared.Api.ModelCondition Condition(
        Shared.Domain.Aggregation.ModelCondition condition, ModelSpec spec, BaseModelStatus? current, DateTimeOffset now)
    {
        var known = current?.Conditions?.Find(other => other.Type == condition.Type);
        return new Shared.Api.ModelCondition
        {
            Type = condition.Type,
            Status = condition.Status,
            Reason = condition.Reason,
            Message = condition.Message,
            ObservedGeneration = spec.Generation,
            LastTransitionTime = known?.Status == condition.Status ? known.LastTransitionTime : now,
        };
    }

    private static DateTimeOffset? Proof(DateTimeOffset? proof, DateTimeOffset? current) =>
        proof is { } wanted && current is { } shown && (wanted - shown).Duration() < ProofStep ? shown : proof;
}
