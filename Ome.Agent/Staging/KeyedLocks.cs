namespace Ome.Agent.Staging;

/// <summary>One holder per key at a time; keys nobody holds or waits for take no memory.</summary>
internal sealed class KeyedLocks : IDisposable
{
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Waits for the key; dispose the answer to let it go.</summary>
    public async Task<IDisposable> TakeAsync(string key, CancellationToken cancellationToken)
    {
        Entry? entry;
        lock (_entries)
        {
            if (!_entries.TryGetValue(key, out entry)) _entries[key] = entry = new Entry();
            entry.Users++;
        }

        try
        {
            await entry.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Leave(key, entry);
            throw;
        }

        return new Held(this, key, entry);
    }

    /// <summary>Waits for all keys, in one order for everybody, so that two callers never wait for each other.</summary>
    public async Task<IDisposable> TakeAllAsync(IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        var all = new HeldTogether();
        try
        {
            foreach (var key in keys.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)) all.Add(await TakeAsync(key, cancellationToken).ConfigureAwait(false));
            return all;
        }
        catch
        {
            all.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        lock (_entries)
        {
            foreach (var entry in _entries.Values) entry.Gate.Dispose();
            _entries.Clear();
        }
    }

    private void Leave(string key, Entry entry)
    {
        lock (_entries)
        {
            if (--entry.Users == 0) _entries.Remove(key);
        }
    }

    private sealed class Entry
    {
        public SemaphoreSlim Gate { get; } = new(1);

        public int Users { get; set; }
    }

    private sealed class HeldTogether : IDisposable
    {
        private readonly List<IDisposable> _held = [];

        public void Add(IDisposable held) => _held.Add(held);

        public void Dispose() => _held.ForEach(static held => held.Dispose());
    }

    private sealed class Held(KeyedLocks owner, string key, Entry entry) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) != 0) return;
            entry.Gate.Release();
            owner.Leave(key, entry);
        }
    }
}
