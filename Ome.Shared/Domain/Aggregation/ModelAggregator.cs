using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Shared.Domain.Aggregation;

/// <summary>Node reports and names of live nodes to a <see cref="ModelAggregate"/>. The order of the input never matters.</summary>
public static class ModelAggregator
{
    /// <summary>Folds all reports for one model: the plain form, which the incremental <see cref="ReportFold"/> must equal.</summary>
    public static ModelAggregate Fold(ModelKey model, StorageIdentity wanted, IEnumerable<NodeReport> reports, IReadOnlySet<string> liveNodes)
    {
        var facts = new List<HeldFact>();
        foreach (var report in reports)
        {
            if (!liveNodes.Contains(report.NodeName) || !report.Entries.TryGetValue(model.DataKey, out var item)) continue;
            facts.Add(new(report.NodeName, NodeModelFact.Of(item), HeldFact.ProofOf(item)));
        }

        return Build(model, wanted, facts);
    }

    /// <summary>Builds the aggregate from the facts of live nodes; sorts <paramref name="facts"/>.</summary>
    internal static ModelAggregate Build(ModelKey model, StorageIdentity wanted, List<HeldFact> facts)
    {
        facts.Sort(static (one, other) => string.CompareOrdinal(one.Node, other.Node));
        List<string> ready = [], failed = [], updating = [], stale = [];
        List<DamagedNode> damaged = [];
        List<UnreadableNode> unreadable = [];
        var oldest = HeldFact.NoProof;
        (string, string)? couldNotVerify = null, refusal = null;
        var refusing = 0;
        SpecFacts? readyFacts = null, anyFacts = null;
        var verified = 0;

        foreach (var (node, fact, proof) in facts)
        {
            if (fact.Unreadable is { } error) unreadable.Add(new UnreadableNode(node, error));
            if (fact.Unreadable is not null || fact.State == NodeModelState.Deleted || !fact.IsAbout(model)) continue;
            if (!wanted.Matches(fact.StorageUri, fact.StoragePath))
            {
                stale.Add(node);
                continue;
            }

            if (fact.Result == ValidationResults.Invalid) damaged.Add(Damaged(node, fact));
            anyFacts ??= fact.Facts;
            switch (fact.State)
            {
                case NodeModelState.Ready:
                    ready.Add(node);
                    readyFacts ??= fact.Facts;
                    oldest = Math.Min(oldest, proof);
                    if (fact.Result == ValidationResults.Valid) verified++;
                    else if (fact.Result == ValidationResults.Inconclusive) couldNotVerify ??= (node, fact.Message ?? fact.Reason ?? "no reason given");
                    break;
                case NodeModelState.Failed:
                    failed.Add(node);
                    if (!fact.IsRefusal) break;
                    refusing++;
                    refusal ??= (node, fact.Message ?? fact.Reason!);
                    break;
                default:
                    updating.Add(node);
                    break;
            }
        }

        return new ModelAggregate
        {
            Model = model,
            NodesReady = ready,
            NodesFailed = failed,
            NodesUpdating = updating,
            NodesStale = stale,
            NodesDamaged = damaged,
            NodesUnreadable = unreadable,
            NodesVerified = verified,
            CouldNotVerify = couldNotVerify,
            Refusal = refusal,
            NodesRefusing = refusing,
            OldestProof = oldest == HeldFact.NoProof ? null : new DateTimeOffset(oldest, TimeSpan.Zero),
            Facts = readyFacts ?? anyFacts,
        };
    }

    private static DamagedNode Damaged(string node, NodeModelFact fact)
    {
        var reason = fact.Reason ?? "Damaged";
        return new DamagedNode(node, reason, fact.Message ?? reason, fact.Since, fact.State != NodeModelState.Ready);
    }
}
