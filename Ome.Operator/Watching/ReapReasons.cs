using System.Threading.Channels;

namespace Ome.Operator.Watching;

/// <summary>Nodes that may be gone, or everything.</summary>
internal sealed record ReapReason(bool Everything, IReadOnlyList<string> Nodes);

/// <summary>
/// Why there may be leftovers, until somebody looks. A reason waits once, however often it is given; everything is looked at once a period without
/// any, whatever nodes come and go meanwhile. A node that could not be judged is looked at again after a pause.
/// </summary>
internal sealed class ReapReasons(TimeSpan period, TimeSpan pause, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Channel<bool> _given = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly HashSet<string> _nodes = new(StringComparer.Ordinal);
    private readonly HashSet<string> _later = new(StringComparer.Ordinal);
    private bool _everything;
    private long _since = time.GetTimestamp();
    private long _laterSince;

    /// <summary>A node may be gone.</summary>
    public void Add(string node) => Add(new ReapReason(Everything: false, [node]));

    /// <summary>Anything may be gone.</summary>
    public void AddEverything() => Add(new ReapReason(Everything: true, []));

    /// <summary>A reason, new or not dealt with.</summary>
    public void Add(ReapReason reason)
    {
        lock (_gate)
        {
            _everything |= reason.Everything;
            _nodes.UnionWith(reason.Nodes);
        }

        _given.Writer.TryWrite(true);
    }

    /// <summary>A node to look at again after the pause. By whoever takes the reasons, between two of them.</summary>
    public void AddLater(string node)
    {
        lock (_gate)
        {
            if (_later.Count == 0) _laterSince = time.GetTimestamp();
            _later.Add(node);
        }
    }

    /// <summary>Waits for reasons and takes them all.</summary>
    public async Task<ReapReason> TakeAsync(CancellationToken cancellationToken)
    {
        await WaitAsync(cancellationToken);
        lock (_gate)
        {
            _given.Reader.TryRead(out _);
            _everything |= Left(period, _since) == TimeSpan.Zero;
            if (_later.Count > 0 && Left(pause, _laterSince) == TimeSpan.Zero)
            {
                _nodes.UnionWith(_later);
                _later.Clear();
            }
            var taken = new ReapReason(_everything, [.. _nodes]);
            if (_everything) _since = time.GetTimestamp();
            _everything = false;
            _nodes.Clear();
            return taken;
        }
    }

    // Until there is a reason, the pause is over for what waits for it, or the period is.
    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        var left = Left(period, _since);
        lock (_gate)
        {
            if (_later.Count > 0 && Left(pause, _laterSince) is var first && first < left) left = first;
        }

        if (left == TimeSpan.Zero) return;
        using var timer = new CancellationTokenSource(left, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            await _given.Reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Time is up, which is a reason too.
        }
    }

    private TimeSpan Left(TimeSpan of, long since) => of - time.GetElapsedTime(since) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;
}
