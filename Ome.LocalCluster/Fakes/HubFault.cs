namespace Ome.LocalCluster.Fakes;

/// <summary>What goes wrong.</summary>
public enum HubFaultKind
{
    /// <summary>Answer with <see cref="HubFault.Status"/>; 429 and 503 carry Retry-After when it is set.</summary>
    Status,

    /// <summary>Reset the connection after <see cref="HubFault.AfterBytes"/> bytes of the body.</summary>
    Cut,

    /// <summary>Send nothing more after <see cref="HubFault.AfterBytes"/> bytes, connection open.</summary>
    Stall,

    /// <summary>A well-formed answer that promises and sends only <see cref="HubFault.AfterBytes"/> bytes.</summary>
    Truncate,

    /// <summary>Flip a bit of the byte <see cref="HubFault.AfterBytes"/> into the body.</summary>
    WrongBytes,

    /// <summary>Ignore Range and send everything with 200.</summary>
    IgnoreRange,
}

/// <summary>Which requests a fault is for.</summary>
public enum HubFaultScope
{
    Any,

    /// <summary>Model information and trees.</summary>
    Api,

    /// <summary>The <c>resolve</c> route, before it redirects.</summary>
    Resolve,

    /// <summary>Answers that carry file bytes.</summary>
    Body,
}

/// <summary>One switch: the next so many matching requests fail so.</summary>
/// <param name="Kind">What goes wrong.</param>
/// <param name="Scope">Which requests.</param>
/// <param name="Path">Only for this file; null for all.</param>
/// <param name="Times">How often.</param>
/// <param name="AfterBytes">Position in the body, counted from the start of the answer.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="RetryAfterSeconds">Value of Retry-After; 0 for none.</param>
public sealed record HubFault(
    HubFaultKind Kind,
    HubFaultScope Scope = HubFaultScope.Any,
    string? Path = null,
    int Times = 1,
    long AfterBytes = 0,
    int Status = 500,
    int RetryAfterSeconds = 0);

/// <summary>The faults waiting to happen.</summary>
public sealed class HubFaults
{
    private readonly Lock _lock = new();
    private readonly List<(HubFault Fault, int Left)> _waiting = [];
    private Random? _random;
    private int _randomCuts;
    private long _maxBetween;

    /// <summary>Random cuts that are still to happen.</summary>
    public int RandomCutsLeft
    {
        get
        {
            lock (_lock) return _randomCuts;
        }
    }

    public void Add(HubFault fault)
    {
        lock (_lock) _waiting.Add((fault, fault.Times));
    }

    /// <summary>Cuts so many bodies, each after a random number of bytes up to <paramref name="maxBytes"/>.</summary>
    public void CutRandomly(int seed, int cuts, long maxBytes)
    {
        lock (_lock) (_random, _randomCuts, _maxBetween) = (new Random(seed), cuts, maxBytes);
    }

    public void Clear()
    {
        lock (_lock)
        {
            _waiting.Clear();
            _randomCuts = 0;
        }
    }

    internal HubFault? Take(HubFaultScope scope, string? path, Func<HubFaultKind, bool> fits)
    {
        lock (_lock)
        {
            for (var i = 0; i < _waiting.Count; i++)
            {
                var (fault, left) = _waiting[i];
                if (fault.Scope != HubFaultScope.Any && fault.Scope != scope) continue;
                if (!fits(fault.Kind) || (fault.Path is not null && fault.Path != path)) continue;
                if (left <= 1) _waiting.RemoveAt(i);
                else _waiting[i] = (fault, left - 1);
                return fault;
            }

            return null;
        }
    }

    /// <summary>The next random cut, if the body is long enough to be cut at all.</summary>
    internal HubFault? TakeRandomCut(long bodyLength)
    {
        lock (_lock)
        {
            if (_randomCuts == 0 || _random is null || bodyLength < 2) return null;
            _randomCuts--;
            return new HubFault(HubFaultKind.Cut, AfterBytes: _random.NextInt64(Math.Min(bodyLength - 1, _maxBetween)));
        }
    }
}
