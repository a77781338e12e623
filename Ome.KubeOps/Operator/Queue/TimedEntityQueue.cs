using k8s;
using k8s.Models;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.Operator.Metrics;
using Microsoft.Extensions.Logging;

namespace KubeOps.Operator.Queue;

/// <summary>
/// The queue in memory. Keyed by namespace, name and uid, so that a re-created object never meets the entry of its predecessor.
/// Waiting blocks no thread: one timer stands at the earliest due time. A newer event replaces the object; a pending deletion
/// gives way only to a newer event of the API server (the object entered the selector again), never to a timer.
/// </summary>
public sealed partial class TimedEntityQueue<TEntity> : ITimedEntityQueue<TEntity>, ISuspendableEntityQueue
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    private static readonly TimeSpan LongestSleep = TimeSpan.FromDays(1);

    private readonly ILogger _logger;
    private readonly OperatorMetrics? _metrics;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly SemaphoreSlim _signal = new(0);
    private readonly Lock _lock = new();
    private readonly Dictionary<EntityKey, Pending> _pending = [];
    private readonly PriorityQueue<(EntityKey Key, long Due), long> _order = new();
    private bool _suspended;
    private bool _disposed;

    public TimedEntityQueue(ILogger<TimedEntityQueue<TEntity>> logger, OperatorMetrics? metrics = null, TimeProvider? timeProvider = null)
    {
        _logger = logger;
        _metrics = metrics;
        _time = timeProvider ?? TimeProvider.System;
        _timer = _time.CreateTimer(static queue => ((TimedEntityQueue<TEntity>)queue!).Signal(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        metrics?.Observe(typeof(TEntity).Name, this, static queue => queue.Depth());
    }

    public Task<bool> Enqueue(
        TEntity entity,
        ReconciliationType type,
        ReconciliationTriggerSource reconciliationTriggerSource,
        TimeSpan queueIn,
        int retryCount,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var key = EntityKey.Of(entity);
        lock (_lock)
        {
            if (_suspended || _disposed)
            {
                LogDropped(key.Namespace, key.Name);
                return Task.FromResult(false);
            }

            Schedule(key, new Pending(entity, type, reconciliationTriggerSource, retryCount, Due(queueIn)));
        }

        Signal();
        _metrics?.RecordEnqueue(typeof(TEntity).Name, reconciliationTriggerSource.ToMetric());
        return Task.FromResult(true);
    }

    public void Clear()
    {
        lock (_lock)
        {
            _pending.Clear();
            _order.Clear();
        }
    }

    public void SuspendIntake()
    {
        lock (_lock) _suspended = true;
    }

    public void ResumeIntake()
    {
        lock (_lock) _suspended = false;
    }

    public async IAsyncEnumerator<QueueEntry<TEntity>> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            if (TryTake(out var entry, out var isOver)) yield return entry;
            else if (isOver) yield break;
            else await _signal.WaitAsync(cancellationToken);
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    public void Dispose()
    {
        lock (_lock) _disposed = true;
        Clear();
        _timer.Dispose();
        Signal();
    }

    private void Schedule(EntityKey key, Pending newer)
    {
        if (_pending.TryGetValue(key, out var older))
        {
            var staysDeleted = older.Type is ReconciliationType.Deleted && newer.Source is ReconciliationTriggerSource.Operator;
            newer = newer with
            {
                Due = Math.Min(older.Due, newer.Due),
                Type = staysDeleted ? ReconciliationType.Deleted : newer.Type,
                Entity = staysDeleted ? older.Entity : newer.Entity,
            };
        }

        _pending[key] = newer;
        if (older is null || newer.Due < older.Due) _order.Enqueue((key, newer.Due), newer.Due);
        if (_order.Count > (2 * _pending.Count) + 64) ForgetSuperseded();
    }

    private bool TryTake(out QueueEntry<TEntity> entry, out bool isOver)
    {
        lock (_lock)
        {
            isOver = _disposed;
            while (!isOver && _order.TryPeek(out var next, out var due))
            {
                var isCurrent = _pending.TryGetValue(next.Key, out var pending) && pending.Due == next.Due;
                var wait = _time.GetElapsedTime(_time.GetTimestamp(), due);
                if (isCurrent && wait > TimeSpan.Zero)
                {
                    // Timers count whole milliseconds: rounded down, one would fire early and the loop spin.
                    var milliseconds = Math.Ceiling(Math.Min(wait.TotalMilliseconds, LongestSleep.TotalMilliseconds));
                    _timer.Change(TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
                    break;
                }

                _order.Dequeue();
                if (!isCurrent) continue;
                _pending.Remove(next.Key);
                entry = new QueueEntry<TEntity>(pending!.Entity, pending.Type, pending.Source, pending.RetryCount);
                return true;
            }
        }

        entry = default;
        return false;
    }

    // An entry pulled forward leaves its old place in the heap until then; without this a busy key with a far timer would pile up.
    private void ForgetSuperseded()
    {
        _order.Clear();
        foreach (var (key, pending) in _pending) _order.Enqueue((key, pending.Due), pending.Due);
    }

    private long Due(TimeSpan queueIn) =>
        _time.GetTimestamp() + (queueIn <= TimeSpan.Zero ? 0 : (long)Math.Min(queueIn.TotalSeconds * _time.TimestampFrequency, long.MaxValue / 4));

    private void Signal()
    {
        lock (_lock)
            if (_signal.CurrentCount == 0) _signal.Release();
    }

    private (int Scheduled, int Ready) Depth()
    {
        lock (_lock)
        {
            var now = _time.GetTimestamp();
            var ready = _pending.Values.Count(pending => pending.Due <= now);
            return (_pending.Count - ready, ready);
        }
    }

    private sealed record Pending(TEntity Entity, ReconciliationType Type, ReconciliationTriggerSource Source, int RetryCount, long Due);
}
