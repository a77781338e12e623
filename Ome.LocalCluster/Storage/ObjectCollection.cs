using System.Collections.Immutable;

namespace Ome.LocalCluster.Storage;

/// <summary>All objects of one kind and the recent history of their changes.</summary>
/// <remarks>Everything here is guarded by the lock of the <see cref="ObjectStore"/> that made it.</remarks>
public sealed class ObjectCollection
{
    private TaskCompletionSource? _changed;

    internal ObjectCollection(string name, int historyCapacity)
    {
        Name = name;
        History = new EventHistory(historyCapacity);
    }

    /// <summary><c>plural</c> or <c>plural.group</c>, as in error messages.</summary>
    public string Name { get; }

    internal EventHistory History { get; }

    internal ImmutableSortedDictionary<ObjectKey, StoredObject> Objects { get; set; } = ImmutableSortedDictionary<ObjectKey, StoredObject>.Empty;

    internal long LastRevision { get; set; }

    /// <summary>Its task completes at the next change.</summary>
    internal TaskCompletionSource Changed_NeedsLock() => _changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    internal void Pulse_NeedsLock()
    {
        _changed?.SetResult();
        _changed = null;
    }
}
