using System.Threading.Channels;

namespace Ome.Operator.Watching;

/// <summary>Nodes that may be gone, or everything.</summary>
internal sealed record ReapReason(bool Everything, IReadOnlyList<string> Nodes);

/// <summary>
/// Why there may be leftovers, until somebody looks. A reason waits once, however often it is given; everything is looked at once a period without
/// any, whatever nodes come and go meanwhile.
/// </summary>
internal sealed class ReapReasons(TimeSpan period, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Channel<bool> _given = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly HashSet<string> _nodes = new(StringComparer.Ordinal);
    private bool _everything;
    private long _since = time.GetTimestamp();

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

    /// <summary>Waits for reasons and takes them all.</summary>
    public async Task<ReapReason> TakeAsync(CancellationToken cancellationToken)
    {
        if (!await IsGivenAsync(cancellationToken)) AddEverything();
        lock (_gate)
        {
            _given.Reader.TryRead(out _);
            var taken = new ReapReason(_everything, [.. _nodes]);
            if (_everything) _since = time.GetTimestamp();
            _everything = false;
            _nodes.Clear();
            return taken;
        }
    }

    // False when the period is over first.
    private async Task<bool> IsGivenAsync(CancellationToken cancellationToken)
    {
        var left = period - time.GetElapsedTime(_since);
        if (left <= TimeSpan.Zero) return false;
        using var timer = new CancellationTokenSource(left, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await _given.Reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
