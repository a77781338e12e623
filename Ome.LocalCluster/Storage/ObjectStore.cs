using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Storage;

/// <summary>The objects of a cluster: one revision counter over all kinds, compare-and-swap writes, bounded history per kind.</summary>
/// <remarks>
/// Promises: revisions grow by one with each write; a write happens only when the object is still the version the caller read; for any
/// object the history holds its changes in order and without gaps from <see cref="EventHistory.ForgottenThrough"/> on. Memory is bounded by
/// the live objects plus <paramref name="historyPerKind"/> changes of each kind.
/// </remarks>
public sealed class ObjectStore(int historyPerKind)
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, ObjectCollection> _collections = new(StringComparer.Ordinal);
    private long _revision;

    /// <summary>Called after each commit, in commit order, outside readers' way but inside the lock: must be quick and must not write.</summary>
    public Action<ObjectCollection, StoreEvent>? Committed { get; set; }

    public long Revision => Volatile.Read(ref _revision);

    public ObjectCollection Collection(string name) => _collections.GetOrAdd(name, n => new ObjectCollection(n, historyPerKind));

    public IEnumerable<ObjectCollection> Collections => _collections.Values;

    public StoredObject? Get(ObjectCollection collection, ObjectKey key) => collection.Objects.GetValueOrDefault(key);

    public ListSnapshot List(ObjectCollection collection)
    {
        lock (_gate) return new ListSnapshot(_revision, collection.Objects);
    }

    /// <summary>The list as it was at a revision, rebuilt by undoing the history; null when that is forgotten.</summary>
    public ListSnapshot? ListAt(ObjectCollection collection, long revision)
    {
        lock (_gate)
        {
            if (revision >= collection.LastRevision) return new ListSnapshot(revision, collection.Objects);
            if (revision < collection.History.ForgottenThrough) return null;
            var objects = collection.Objects.ToBuilder();
            foreach (var change in collection.History.After(revision, int.MaxValue).Reverse())
            {
                if (change.Old is null) objects.Remove(change.Key);
                else objects[change.Key] = change.Old;
            }
            return new ListSnapshot(revision, objects.ToImmutable());
        }
    }

    /// <summary>Writes a version if the object is still <paramref name="expected"/> (null: does not exist); null when it is not.</summary>
    public StoredObject? TryPut(ObjectCollection collection, ObjectKey key, StoredObject? expected, JsonObject tree)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(collection.Objects.GetValueOrDefault(key), expected)) return null;
            var stored = StoredObject.Freeze(key, ++_revision, tree);
            collection.Objects = collection.Objects.SetItem(key, stored);
            Commit(collection, new StoreEvent(_revision, expected, stored, null));
            return stored;
        }
    }

    /// <summary>
    /// Removes the object if it is still <paramref name="expected"/>; returns its last version (<paramref name="last"/>, or the expected one),
    /// stamped with the deletion's revision.
    /// </summary>
    public StoredObject? TryRemove(ObjectCollection collection, StoredObject expected, JsonObject? last = null)
    {
        var tree = last ?? expected.Parse();
        lock (_gate)
        {
            if (!ReferenceEquals(collection.Objects.GetValueOrDefault(expected.Key), expected)) return null;
            var final = StoredObject.Freeze(expected.Key, ++_revision, tree);
            collection.Objects = collection.Objects.Remove(expected.Key);
            Commit(collection, new StoreEvent(_revision, expected, null, final));
            return final;
        }
    }

    /// <summary>True when the history still holds every change after the revision.</summary>
    public bool CanResume(ObjectCollection collection, long revision)
    {
        lock (_gate) return revision >= collection.History.ForgottenThrough;
    }

    /// <summary>Changes after a revision, or that they are forgotten, or a task that ends when there are some.</summary>
    public HistoryRead Read(ObjectCollection collection, long after, int limit)
    {
        lock (_gate)
        {
            if (collection.LastRevision <= after) return new HistoryRead(false, [], _revision, collection.Changed_NeedsLock().Task);
            if (after < collection.History.ForgottenThrough) return new HistoryRead(true, [], after, null);
            var batch = collection.History.After(after, limit);
            return new HistoryRead(false, batch, batch[^1].Revision, null);
        }
    }

    /// <summary>Forgets the history of all kinds, so that every resume from before now is answered with 410.</summary>
    public void TruncateHistory()
    {
        lock (_gate)
        {
            // One step on, so that even who saw the very last change has to list again.
            _revision++;
            foreach (var collection in _collections.Values)
            {
                collection.History.Forget(_revision);
                collection.Pulse_NeedsLock();
            }
        }
    }

    private void Commit(ObjectCollection collection, StoreEvent change)
    {
        collection.LastRevision = change.Revision;
        collection.History.Add(change);
        collection.Pulse_NeedsLock();
        Committed?.Invoke(collection, change);
    }
}

/// <summary>Answer of <see cref="ObjectStore.Read"/>: <paramref name="Forgotten"/>, a batch, or <paramref name="Wait"/> for the next change.</summary>
/// <param name="Forgotten">Changes the reader has not seen are no longer held.</param>
/// <param name="Events">The next changes.</param>
/// <param name="Through">The reader has now seen every change up to this revision.</param>
/// <param name="Wait">Set when there is nothing new: completes at the next change.</param>
public readonly record struct HistoryRead(bool Forgotten, StoreEvent[] Events, long Through, Task? Wait);
