namespace Ome.LocalCluster.Storage;

/// <summary>The last changes of one kind, oldest first, at most <c>capacity</c> of them. Not thread-safe: the store's lock guards it.</summary>
internal sealed class EventHistory(int capacity)
{
    private StoreEvent?[] _ring = new StoreEvent?[Math.Min(capacity, 64)];
    private int _first;

    /// <summary>Revision of the newest change that was forgotten; a watch must not start before it.</summary>
    public long ForgottenThrough { get; private set; }

    public int Count { get; private set; }

    public void Add(StoreEvent change)
    {
        if (Count == _ring.Length && Count < capacity) Grow();
        if (Count == _ring.Length)
        {
            ForgottenThrough = At(0).Revision;
            _ring[_first] = change;
            _first = (_first + 1) % _ring.Length;
            return;
        }
        _ring[(_first + Count++) % _ring.Length] = change;
    }

    /// <summary>Drops everything: whoever wants to resume from before <paramref name="currentRevision"/> must list again.</summary>
    public void Forget(long currentRevision)
    {
        Array.Clear(_ring);
        Count = 0;
        ForgottenThrough = currentRevision;
    }

    /// <summary>At most <paramref name="limit"/> changes after a revision, oldest first.</summary>
    public StoreEvent[] After(long revision, int limit)
    {
        var start = IndexAfter(revision);
        var batch = new StoreEvent[Math.Min(limit, Count - start)];
        for (var i = 0; i < batch.Length; i++) batch[i] = At(start + i);
        return batch;
    }

    private int IndexAfter(long revision)
    {
        var low = 0;
        var high = Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (At(middle).Revision <= revision) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private StoreEvent At(int index) => _ring[(_first + index) % _ring.Length]!;

    private void Grow()
    {
        var larger = new StoreEvent?[Math.Min(capacity, _ring.Length * 2)];
        for (var i = 0; i < Count; i++) larger[i] = At(i);
        _ring = larger;
        _first = 0;
    }
}
