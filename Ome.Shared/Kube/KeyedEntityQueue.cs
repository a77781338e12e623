using System.Threading.Channels;
using k8s;
using k8s.Models;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.Operator.Queue;

namespace Ome.Shared.Kube;

/// <summary>
/// KubeOps' queue seam, for <c>QueueStrategy.Custom</c>. Promises:
/// <list type="bullet">
/// <item>One entry waits per namespace, name and uid: an object that is deleted and created again is another key, so neither life hides the other.</item>
/// <item>The earliest time wins; the newest object, source and retry count are kept; a waiting deletion stays one, and what an event
/// of the API server asked for stays so when the controller plans a run too.</item>
/// <item>A retry waits for a capped, jittered back-off, whatever delay was asked for, and there is no last retry.</item>
/// <item>One timer in all, armed for the first entry; nothing polls, and waiting blocks no thread. Delays of a second and more end on a common
/// grid of 100 ms, so that a hundred thousand of them wake the process ten times a second and not each by itself.</item>
/// </list>
/// </summary>
public sealed class KeyedEntityQueue<TEntity> : ITimedEntityQueue<TEntity>, ISuspendableEntityQueue
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private const int GridPerSecond = 10;
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(1);
    private static readonly TimeSpan ShortestOnGrid = TimeSpan.FromSeconds(1);

    private readonly DueQueue<ObjectIdentity, QueueEntry<TEntity>> _queue = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock _gate = new();
    private readonly Backoff _backoff;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Prometheus.Gauge.Child _depth;
    private readonly Prometheus.Histogram.Child _latency;
    private readonly Prometheus.Counter.Child _retries;
    private long _armedFor = long.MaxValue;
    private bool _suspended;
    private bool _disposed;

    /// <summary>An empty queue.</summary>
    public KeyedEntityQueue(QueueBackoff backoff, QueueMetrics metrics, TimeProvider time)
    {
        _backoff = backoff.Value;
        _time = time;
        var kind = typeof(TEntity).Name;
        (_depth, _latency, _retries) = (metrics.Depth(kind), metrics.Latency(kind), metrics.Retries(kind));
        _timer = time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Objects that wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _queue.Count;
        }
    }

    /// <inheritdoc/>
    public Task<bool> Enqueue(
        TEntity entity, ReconciliationType type, ReconciliationTriggerSource reconciliationTriggerSource, TimeSpan queueIn, int retryCount, CancellationToken cancellationToken)
    {
        var key = ObjectIdentity.Of(entity);
        var delay = retryCount > 0 ? _backoff.Delay(retryCount, key.GetHashCode()) : queueIn;
        var entry = new QueueEntry<TEntity>(entity, type, reconciliationTriggerSource, retryCount);
        lock (_gate)
        {
            if (_disposed || _suspended || cancellationToken.IsCancellationRequested) return Task.FromResult(false);
            var due = Due(delay);
            _queue.Put(key, due, entry, Merge);
            _depth.Set(_queue.Count);
            if (due < _armedFor) Arm();
        }
        if (retryCount > 0) _retries.Inc();
        return Task.FromResult(true);
    }

    /// <summary>The entries as they become due, until the token is cancelled or the queue is disposed.</summary>
    public async IAsyncEnumerator<QueueEntry<TEntity>> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        do
        {
            // First look, then wait: an enumeration that ended early may have used up the wake-up of what is still due.
            _wake.Reader.TryRead(out _);
            while (TryTake(out var entry))
            {
                yield return entry;
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        while (await _wake.Reader.WaitToReadAsync(cancellationToken));
    }

    /// <inheritdoc/>
    public void Clear()
    {
        lock (_gate)
        {
            _queue.Clear();
            _depth.Set(0);
        }
    }

    /// <inheritdoc/>
    public void SuspendIntake()
    {
        lock (_gate) _suspended = true;
    }

    /// <inheritdoc/>
    public void ResumeIntake()
    {
        lock (_gate) _suspended = false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            _queue.Clear();
            _depth.Set(0);
        }
        _timer.Dispose();
        _wake.Writer.TryComplete();
    }

    /// <summary>Within one life of an object: what is newer counts, except that gone is gone, and that a plan made before an event was looked at says nothing of it.</summary>
    private static QueueEntry<TEntity> Merge(QueueEntry<TEntity> waiting, QueueEntry<TEntity> newer)
    {
        var stays = waiting.ReconciliationType == ReconciliationType.Deleted
            ? newer.ReconciliationType != ReconciliationType.Deleted
            : waiting.ReconciliationTriggerSource == ReconciliationTriggerSource.ApiServer && newer.ReconciliationTriggerSource == ReconciliationTriggerSource.Operator;
        return stays ? waiting with { RetryCount = newer.RetryCount } : newer;
    }

    private bool TryTake(out QueueEntry<TEntity> entry)
    {
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            if (_queue.TryTake(now, out entry, out var due))
            {
                _depth.Set(_queue.Count);
                _latency.Observe(_time.GetElapsedTime(due, now).TotalSeconds);
                if (_queue.NextDue() <= now) Wake(); // another consumer may take it while this one works
                return true;
            }
            Arm();
            return false;
        }
    }

    /// <summary>Wakes the consumer when something is due, else sets the timer for the first entry. Under the lock.</summary>
    private void Arm()
    {
        if (_disposed) return;
        _armedFor = _queue.NextDue() ?? long.MaxValue;
        if (_armedFor == long.MaxValue)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }
        var wait = _time.GetElapsedTime(_time.GetTimestamp(), _armedFor);
        if (wait <= TimeSpan.Zero)
        {
            Wake();
            return;
        }
        // Timers count whole milliseconds: rounded down, one would fire early and spin.
        var milliseconds = Math.Ceiling(Math.Min(wait.TotalMilliseconds, LongestTimer.TotalMilliseconds));
        _timer.Change(TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private long Due(TimeSpan delay)
    {
        var now = _time.GetTimestamp();
        if (delay <= TimeSpan.Zero) return now;
        var stamps = delay.TotalSeconds * _time.TimestampFrequency;
        var due = now + (stamps < long.MaxValue / 4 ? (long)stamps : long.MaxValue / 4);
        var step = Math.Max(1, _time.TimestampFrequency / GridPerSecond);
        return delay < ShortestOnGrid ? due : (due + step - 1) / step * step;
    }
}

/// <summary>Back-off of failed reconciliations.</summary>
public sealed record QueueBackoff(Backoff Value)
{
    /// <summary>1 s doubling to 5 min; the seed should differ between processes.</summary>
    public static QueueBackoff Default(int seed) => new(new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5), seed));
}
