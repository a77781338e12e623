namespace Ome.Shared.Kube;

/// <summary>What happened to an object.</summary>
public enum InformerEventType
{
    /// <summary>Seen for the first time by this process, or created.</summary>
    Added,

    /// <summary>Its resourceVersion changed.</summary>
    Updated,

    /// <summary>Gone, or no longer selected; also found missing by a list after a time without connection.</summary>
    Deleted,
}

/// <summary>One change, delivered in order.</summary>
/// <param name="Type">What happened.</param>
/// <param name="Object">Which object, and which life of it.</param>
/// <param name="Item">The projection of the object; for <see cref="InformerEventType.Deleted"/> the last one known.</param>
/// <param name="Previous">The projection before an update, else null.</param>
public readonly record struct InformerEvent<TItem>(InformerEventType Type, ObjectIdentity Object, TItem Item, TItem? Previous);

/// <summary>Receives the changes of one informer, one at a time. What it throws is logged and the change is delivered again later.</summary>
public delegate ValueTask InformerHandler<TItem>(InformerEvent<TItem> change, CancellationToken cancellationToken);
