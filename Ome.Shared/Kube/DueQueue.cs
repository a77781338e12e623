namespace Ome.Shared.Kube;

/// <summary>
/// Keys with a due time, earliest first, in order of arrival when due together. A key waits once: put again, it keeps the earlier time and
/// takes the newer value. Every operation is O(log n), amortised. Not thread-safe; knows no clock.
/// </summary>
public sealed class DueQueue<TKey, TValue>
    where TKey : notnull
{
    private readonly record struct Waiting(TValue Value, long Due, long Ticket);

    private readonly Dictionary<TKey, Waiting> _waiting = [];
    private readonly PriorityQueue<(TKey Key, long Ticket), (long Due, long Ticket)> _order = new();
    private long _tickets;

    /// <summary>Keys that wait.</summary>
    public int Count => _waiting.Count;

    /// <summary>Entries of the order, including those a newer put made void; bounded by twice <see cref="Count"/> and a little.</summary>
    public int OrderLength => _order.Count;

    /// <summary>Makes a key wait until <paramref name="due"/>, or earlier if it waits already.</summary>
    /// <param name="key">The key.</param>
    /// <param name="due">When it may be taken, in any unit that only grows.</param>
    /// <param name="value">The newer value.</param>
    /// <param name="merge">Joins the value that waits (first) with the newer one.</param>
    public void Put(TKey key, long due, TValue value, Func<TValue, TValue, TValue> merge)
    {
        if (_waiting.TryGetValue(key, out var known))
        {
            var merged = merge(known.Value, value);
            if (due >= known.Due)
            {
                _waiting[key] = known with { Value = merged };
                return;
            }
            value = merged;
        }
        var ticket = ++_tickets;
        _waiting[key] = new(value, due, ticket);
        _order.Enqueue((key, ticket), (due, ticket));
        if (_order.Count > (2 * _waiting.Count) + 64) Compact();
    }

    /// <summary>Takes the first key that is due at <paramref name="now"/>.</summary>
    public bool TryTake(long now, out TValue value, out long due)
    {
        value = default!;
        due = 0;
        if (NextDue() is not { } next || next > now) return false;
        var (key, _) = _order.Dequeue();
        _waiting.Remove(key, out var taken);
        (value, due) = (taken.Value, taken.Due);
        return true;
    }

    /// <summary>When the first key is due; null when none waits.</summary>
    public long? NextDue()
    {
        while (_order.TryPeek(out var first, out var priority))
        {
            if (_waiting.TryGetValue(first.Key, out var known) && known.Ticket == first.Ticket) return priority.Due;
            _order.Dequeue();
        }
        return null;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _waiting.Clear();
        _order.Clear();
    }

    private void Compact()
    {
        _order.Clear();
        _order.EnqueueRange(_waiting.Select(pair => ((pair.Key, pair.Value.Ticket), (pair.Value.Due, pair.Value.Ticket))));
    }
}
