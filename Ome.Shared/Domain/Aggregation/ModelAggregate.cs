using Ome.Shared.Domain.Models;

namespace Ome.Shared.Domain.Aggregation;

/// <summary>State of a model over all nodes; the wire knows more words, nobody writes them (contract 1.7, 7.2).</summary>
public enum ModelState
{
    /// <summary>No node is ready, none failed: wire text <c>In_Transit</c>.</summary>
    InTransit,

    /// <summary>At least one node is ready.</summary>
    Ready,

    /// <summary>No node is ready and at least one failed.</summary>
    Failed,
}

/// <summary>A node on which a check found confirmed damage.</summary>
/// <param name="Node">Node name.</param>
/// <param name="Reason">Word of the closed set of design 7.</param>
/// <param name="Message">One line for people.</param>
/// <param name="Since">When the node says it found it; null when it does not say.</param>
/// <param name="IsWithdrawn">The node no longer advertises the model; false under report-only.</param>
public sealed record DamagedNode(string Node, string Reason, string Message, DateTimeOffset? Since, bool IsWithdrawn);

/// <summary>A node whose entry for the model cannot be read.</summary>
public sealed record UnreadableNode(string Node, string Error);

/// <summary>A condition without its clock: the writer keeps the time of the last transition.</summary>
/// <param name="Type">E.g. <c>Ready</c>.</param>
/// <param name="Status"><c>True</c>, <c>False</c> or <c>Unknown</c>.</param>
/// <param name="Reason">CamelCase word.</param>
/// <param name="Message">A sentence a human can act on; holds no time, so it changes only when the facts do.</param>
public sealed record ModelCondition(string Type, string Status, string Reason, string Message);

/// <summary>What all live nodes together say of one model. All lists are sorted ordinally by node.</summary>
public sealed record ModelAggregate
{
    /// <summary>Which model.</summary>
    public required ModelKey Model { get; init; }

    /// <summary>Any ready: Ready; else any failed: Failed; else InTransit (contract 7.2).</summary>
    public ModelState State => NodesReady.Count > 0 ? ModelState.Ready : NodesFailed.Count > 0 ? ModelState.Failed : ModelState.InTransit;

    /// <summary><c>status.nodesReady</c>.</summary>
    public required IReadOnlyList<string> NodesReady { get; init; }

    /// <summary><c>status.nodesFailed</c>.</summary>
    public required IReadOnlyList<string> NodesFailed { get; init; }

    /// <summary>Nodes that are fetching or say something we do not know.</summary>
    public required IReadOnlyList<string> NodesUpdating { get; init; }

    /// <summary>Nodes that report files of another source or directory; ignored in state.</summary>
    public required IReadOnlyList<string> NodesStale { get; init; }

    /// <summary>Nodes with confirmed damage, withdrawn or not.</summary>
    public required IReadOnlyList<DamagedNode> NodesDamaged { get; init; }

    /// <summary>Nodes whose entry cannot be read.</summary>
    public required IReadOnlyList<UnreadableNode> NodesUnreadable { get; init; }

    /// <summary>Ready nodes with a finished check and nothing found.</summary>
    public int NodesVerified { get; init; }

    /// <summary>First ready node that could not be verified, with its reason; null when there is none.</summary>
    public (string Node, string Reason)? CouldNotVerify { get; init; }

    /// <summary>First node that failed because it cannot carry out the spec, with its word for why; null when there is none.</summary>
    public (string Node, string Message)? Refusal { get; init; }

    /// <summary>Nodes that cannot carry out the spec.</summary>
    public int NodesRefusing { get; init; }

    /// <summary>Live nodes that take part: every readable entry that is not Deleted.</summary>
    public int Targeted => NodesReady.Count + NodesFailed.Count + NodesUpdating.Count + NodesStale.Count;

    /// <summary>Ready and targeted nodes, e.g. <c>3/4</c>.</summary>
    public string NodeSummary => $"{NodesReady.Count}/{Targeted}";

    /// <summary>When the byte that waited longest on any ready node was last proven; null when no node says.</summary>
    public DateTimeOffset? OldestProof { get; init; }

    /// <summary>What the files say: from the first ready node that says something, else from the first node.</summary>
    public SpecFacts? Facts { get; init; }

    /// <summary>Whether no live node holds the model any more, so that its finalizer may go (contract 7.4; unreadable entries and dead nodes do not hold it, W21, W22).</summary>
    public bool IsReleased => Targeted == 0;
}
