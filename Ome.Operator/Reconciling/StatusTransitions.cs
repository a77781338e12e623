using KubeOps.Abstractions.Events;
using Ome.Shared.Api;

namespace Ome.Operator.Reconciling;

/// <summary>An Event worth sending: what changed between two statuses.</summary>
public sealed record Transition(EventType Type, string Reason, string Message);

/// <summary>What changed from one status to the next, as Events (design 8). Nothing changed, nothing is said.</summary>
public static class StatusTransitions
{
    /// <summary>A model became ready on its first node.</summary>
    public const string ModelReady = "ModelReady";

    /// <summary>A model is ready nowhere, and failed somewhere.</summary>
    public const string ModelFailed = "ModelFailed";

    /// <summary>A node stopped offering a model whose files went bad.</summary>
    public const string NodeWithdrawn = "NodeWithdrawn";

    /// <summary>A node offers a model again.</summary>
    public const string NodeReadmitted = "NodeReadmitted";

    private const int NamedNodes = 10;

    /// <summary>The Events of a change of status.</summary>
    public static IReadOnlyList<Transition> Between(string model, BaseModelStatus? before, BaseModelStatus after)
    {
        var transitions = new List<Transition>();
        if (before?.State != after.State)
        {
            if (after.State == BaseModelStatus.States.Ready) transitions.Add(new(EventType.Normal, ModelReady, $"{model} is ready"));
            if (after.State == BaseModelStatus.States.Failed) transitions.Add(new(EventType.Warning, ModelFailed, $"{model} failed on every node that reports it"));
        }

        var ready = (after.NodesReady ?? []).ToHashSet(StringComparer.Ordinal);
        var wasReady = (before?.NodesReady ?? []).ToHashSet(StringComparer.Ordinal);
        var wasDamaged = (before?.NodesDamaged ?? []).Select(static damaged => damaged.Node).ToHashSet(StringComparer.Ordinal);
        var withdrawn = (after.NodesDamaged ?? []).Where(damaged => !ready.Contains(damaged.Node) && (wasReady.Contains(damaged.Node) || !wasDamaged.Contains(damaged.Node))).ToList();
        Add(transitions, withdrawn, static (list, damaged) => list.Add(
            new(EventType.Warning, NodeWithdrawn, $"{damaged.Node} was withdrawn: {damaged.Message}; readmission after repair and a full check")), NodeWithdrawn, EventType.Warning, "were withdrawn");

        var isDamaged = (after.NodesDamaged ?? []).Select(static damaged => damaged.Node).ToHashSet(StringComparer.Ordinal);
        var back = wasDamaged.Where(node => ready.Contains(node) && !isDamaged.Contains(node) && !wasReady.Contains(node)).Order(StringComparer.Ordinal).ToList();
        Add(transitions, back, static (list, node) => list.Add(new(EventType.Normal, NodeReadmitted, $"{node} is ready again after a full check")), NodeReadmitted, EventType.Normal, "are ready again");
        return transitions;
    }

    private static void Add<T>(List<Transition> transitions, List<T> items, Action<List<Transition>, T> add, string reason, EventType type, string did)
    {
        foreach (var item in items.Take(NamedNodes)) add(transitions, item);
        if (items.Count > NamedNodes) transitions.Add(new(type, reason, $"{items.Count - NamedNodes} more nodes {did}"));
    }
}
