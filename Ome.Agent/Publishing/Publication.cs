using System.Collections.Immutable;
using Ome.Shared.Api;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Publishing;

/// <summary>Something worth an Event on the model: a transition or a mistake of its author, never a state (design 8).</summary>
/// <param name="Reason">CamelCase, e.g. <c>NodeWithdrawn</c>.</param>
/// <param name="Message">For people.</param>
/// <param name="IsWarning">Type Warning instead of Normal.</param>
public sealed record PublishedEvent(string Reason, string Message, bool IsWarning)
{
    /// <summary>Every node says it in the same words: the first to come writes it, and nobody counts.</summary>
    public bool IsShared { get; init; }
}

/// <summary>Everything the node says of one model from now on.</summary>
public sealed record Publication
{
    public required ModelKey Key { get; init; }

    /// <summary>UID of the model object, for Events.</summary>
    public required string Uid { get; init; }

    /// <summary>Label value and entry status; Deleted takes both away.</summary>
    public required NodeModelState State { get; init; }

    /// <summary>Makes the entry from the present one; its status is set from <see cref="State"/> afterwards.</summary>
    public EntryChange Entry { get; init; } = static current => current;

    /// <summary>The ModelIntegrityCheck to be; null when there is to be none.</summary>
    public ModelIntegrityCheck? Check { get; init; }

    /// <summary>Name of the check, to remove it when <see cref="Check"/> is null.</summary>
    public required string CheckName { get; init; }

    /// <summary>Written once, after everything else, in this order.</summary>
    public ImmutableArray<PublishedEvent> Events { get; init; } = [];

    public bool Admits => State == NodeModelState.Ready;

    internal NodeModelEntry? EntryFor(NodeModelEntry? current)
    {
        if (State is NodeModelState.Deleted) return null;
        return NodeModelEntry.WithStatus(Entry(current), Key.Name, State);
    }
}
