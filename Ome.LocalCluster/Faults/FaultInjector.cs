using System.Collections.Immutable;
using Ome.LocalCluster.Storage;

namespace Ome.LocalCluster.Faults;

/// <summary>Makes the control plane misbehave on request. Thread-safe; rules are tried in the order they were added, the first that fits wins.</summary>
public sealed class FaultInjector(ObjectStore store) : IDisposable
{
    private readonly Lock _gate = new();
    private ImmutableList<ActiveRule> _rules = [];
    private ImmutableList<WatchSession> _watches = [];
    private ImmutableHashSet<string> _silenced = [];
    private CancellationTokenSource _outage = new();
    private bool _down;
    private int _nextId;

    /// <summary>True while the control plane drops every connection.</summary>
    public bool IsDown => Volatile.Read(ref _down);

    /// <summary>Cancelled when an outage begins.</summary>
    public CancellationToken OutageToken => _outage.Token;

    /// <summary>How many watches are open, for all kinds or one plural.</summary>
    public int OpenWatches(string? resource = null) => _watches.Count(w => resource is null || w.Resource == resource);

    /// <summary>Adds a rule; dispose the result to remove it.</summary>
    public FaultHandle Add(FaultRule rule)
    {
        lock (_gate)
        {
            var active = new ActiveRule(++_nextId, rule);
            _rules = _rules.Add(active);
            return new FaultHandle(this, active.Id, () => active.Hits);
        }
    }

    /// <summary>Rules in force with their ids.</summary>
    public IReadOnlyDictionary<int, FaultRule> Rules => _rules.ToDictionary(r => r.Id, r => r.Rule);

    public bool Remove(int id)
    {
        lock (_gate)
        {
            var before = _rules.Count;
            _rules = _rules.RemoveAll(r => r.Id == id);
            return _rules.Count < before;
        }
    }

    /// <summary>Everything is well again; open watches that were silenced stay silent.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _rules = [];
            _silenced = [];
        }
        EndOutage();
    }

    /// <summary>Ends open watches as a server does that shuts down cleanly; for all kinds or one plural.</summary>
    public int DropWatches(string? resource = null) => ForWatches(resource, w => w.Drop());

    /// <summary>Open and new watches stay connected but never send anything again, like a peer behind a broken network path.</summary>
    /// <returns>How many open watches went silent.</returns>
    public int SilenceWatches(string resource)
    {
        lock (_gate) _silenced = _silenced.Add(resource);
        return ForWatches(resource, w => w.Silenced = true);
    }

    /// <summary>New watches speak again; those that were silenced stay silent.</summary>
    public void UnsilenceWatches(string resource)
    {
        lock (_gate) _silenced = _silenced.Remove(resource);
    }

    /// <summary>Forgets all history: every resume and continue from before now is answered with 410.</summary>
    public void TruncateHistory() => store.TruncateHistory();

    /// <summary>From now on every connection is cut, open ones at once.</summary>
    public void BeginOutage()
    {
        CancellationTokenSource outage;
        lock (_gate)
        {
            if (_down) return;
            _down = true;
            outage = _outage;
        }
        outage.Cancel();
    }

    public void EndOutage()
    {
        lock (_gate)
        {
            if (!_down) return;
            _outage = new CancellationTokenSource();
            _down = false;
        }
    }

    /// <summary>The fault this request meets; null for none.</summary>
    internal FaultRule? Next(RequestFacts request)
    {
        foreach (var active in _rules)
        {
            if (active.Rule.Fits(request) && active.Hit()) return active.Rule;
        }
        return null;
    }

    internal WatchSession OpenWatch(string resource, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var session = new WatchSession(this, resource, cancellationToken) { Silenced = _silenced.Contains(resource) };
            _watches = _watches.Add(session);
            return session;
        }
    }

    internal void Close(WatchSession session)
    {
        lock (_gate) _watches = _watches.Remove(session);
    }

    public void Dispose() => _outage.Dispose();

    private int ForWatches(string? resource, Action<WatchSession> act)
    {
        var hit = _watches.Where(w => resource is null || w.Resource == resource).ToList();
        hit.ForEach(act);
        return hit.Count;
    }

    private sealed class ActiveRule(int id, FaultRule rule)
    {
        private int _seen;

        public int Id => id;

        public FaultRule Rule => rule;

        /// <summary>How many requests were hit.</summary>
        public int Hits => Math.Clamp(Volatile.Read(ref _seen) - rule.Skip, 0, rule.Times ?? int.MaxValue);

        public bool Hit()
        {
            var number = Interlocked.Increment(ref _seen);
            return number > rule.Skip && (rule.Times is not { } times || number <= rule.Skip + times);
        }
    }
}

/// <summary>A rule in force.</summary>
public sealed class FaultHandle(FaultInjector owner, int id, Func<int> hits) : IDisposable
{
    public int Id => id;

    /// <summary>How many requests met it so far.</summary>
    public int Hits => hits();

    public void Dispose() => owner.Remove(id);
}
