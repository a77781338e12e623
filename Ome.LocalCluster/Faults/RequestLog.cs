using System.Collections.Concurrent;

namespace Ome.LocalCluster.Faults;

/// <summary>Counts what was asked of the control plane, so that a test can say "a quiet system writes nothing".</summary>
public sealed class RequestLog
{
    private const int Keep = 10_000;

    private readonly ConcurrentQueue<RequestFacts> _last = new();
    private readonly ConcurrentQueue<RequestFacts> _denied = new();
    private int _count;

    /// <summary>The last requests, oldest first, at most 10,000.</summary>
    public IReadOnlyList<RequestFacts> Last => [.. _last];

    /// <summary>Writes among the last requests: create, update, patch, delete, deletecollection.</summary>
    public IReadOnlyList<RequestFacts> Writes => [.. _last.Where(r => r.Verb is not ("get" or "list" or "watch"))];

    /// <summary>The first requests that no rule allowed (403), oldest first, at most 10,000; what a fault answered is not among them.</summary>
    public IReadOnlyList<RequestFacts> Denied => [.. _denied];

    public void Clear()
    {
        _denied.Clear();
        while (_last.TryDequeue(out _)) Interlocked.Decrement(ref _count);
    }

    internal void Deny(RequestFacts request)
    {
        if (_denied.Count < Keep) _denied.Enqueue(request);
    }

    internal void Add(RequestFacts request)
    {
        _last.Enqueue(request);
        if (Interlocked.Increment(ref _count) > Keep && _last.TryDequeue(out _)) Interlocked.Decrement(ref _count);
    }
}
