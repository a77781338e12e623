using Ome.Agent.Verification.Reading.Linux;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification.Reading;

/// <summary>
/// Dedicated threads that may block in the kernel. They start when there is work and end when there is none for a while. A thread that
/// the kernel does not give back in time is abandoned: whoever waits gets TimedOut, another thread takes its place, up to a bound. A mount in
/// which several hang is asked nothing more until one of them is back, so that the others are served.
/// </summary>
internal sealed class WorkerPool : IDisposable
{
    private readonly string _name;
    private readonly Func<int> _size;
    private readonly ReadEngineOptions _options;
    private readonly TimeProvider _time;
    private readonly ISystemCalls _calls;
    private readonly ILogger _logger;
    private readonly ITimer _watchdog;
    private readonly object _gate = new();
    private readonly PriorityQueue<EngineJob, (int Level, long Order)> _queue = new();
    private readonly HashSet<EngineWorker> _live = [];
    private long _order;
    private int _waiting;
    private readonly Dictionary<EngineWorker, string> _hung = [];
    private bool _watching;
    private bool _stopped;

    public WorkerPool(string name, Func<int> size, ReadEngineOptions options, TimeProvider time, ISystemCalls calls, ILogger logger)
    {
        (_name, _size, _options, _time, _calls, _logger) = (name, size, options, time, calls, logger);
        _watchdog = time.CreateTimer(_ => Watch(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Threads that hang in the kernel and are waited for by nobody.</summary>
    public int Abandoned
    {
        get { lock (_gate) return _hung.Count; }
    }

    /// <summary>Threads that are alive and not abandoned.</summary>
    public int Live
    {
        get { lock (_gate) return _live.Count; }
    }

    /// <summary>Workers with a job, and jobs that wait for one.</summary>
    public int Load
    {
        get { lock (_gate) return _live.Count - _waiting + _queue.Count; }
    }

    /// <summary>Queues a job; lower levels go first, in order within a level.</summary>
    public void Submit(EngineJob job, int level)
    {
        var isHung = Hangs(job);
        lock (_gate)
        {
            if (!_stopped && !isHung && (_live.Count > 0 || MaySpawn))
            {
                _queue.Enqueue(job, (level, _order++));
                if (_queue.Count > _waiting && MaySpawn) Spawn();
                else Monitor.Pulse(_gate);
                return;
            }
        }

        job.GiveUp(_stopped ? UnreadableCause.Cancelled : UnreadableCause.TimedOut, _stopped ? "ECANCELED" : "ETIMEDOUT");
    }

    public void Dispose()
    {
        List<EngineJob> orphans;
        lock (_gate)
        {
            if (_stopped) return;
            _stopped = true;
            orphans = [.. _queue.UnorderedItems.Select(item => item.Element), .. _live.Select(worker => worker.Job).OfType<EngineJob>()];
            _queue.Clear();
            Monitor.PulseAll(_gate);
        }

        _watchdog.Dispose();
        foreach (var job in orphans) job.GiveUp(UnreadableCause.Cancelled, "ECANCELED");
    }

    private bool MaySpawn => _live.Count < _size() && _live.Count + _hung.Count < _size() + _options.MaxAbandoned;

    /// <summary>True while so many threads hang in the job's mount that it would only be one more.</summary>
    private bool Hangs(EngineJob job)
    {
        lock (_gate)
        {
            if (_hung.Count < _options.MaxAbandonedPerMount) return false;
        }

        var mount = Mounts.Of(job.Place);
        lock (_gate) return _hung.Values.Count(hung => hung == mount) >= _options.MaxAbandonedPerMount;
    }

    private void Spawn()
    {
        var worker = new EngineWorker(_calls, _time, _options.Background);
        _live.Add(worker);
        new Thread(() => Work(worker), 512 * 1024) { IsBackground = true, Name = _name }.Start();
        if (_watching) return;
        _watching = true;
        var period = TimeSpan.FromTicks(Math.Clamp(_options.CallTimeout.Ticks / 4, TimeSpan.TicksPerMillisecond * 10, TimeSpan.TicksPerSecond));
        _watchdog.Change(period, period);
    }

    private void Work(EngineWorker worker)
    {
        if (_options.Background) ReaderPriority.Lower();
        try
        {
            while (Take(worker) is { } job)
            {
                try
                {
                    // A job that was given up only clears away when it runs.
                    if (Hangs(job)) job.GiveUp(UnreadableCause.TimedOut, "ETIMEDOUT");
                    job.Run(worker);
                }
                catch (Exception exception) { job.Fault(exception); }
            }
        }
        finally
        {
            worker.Dispose();
        }
    }

    private EngineJob? Take(EngineWorker worker)
    {
        lock (_gate)
        {
            worker.Job = null;
            if (worker.Abandoned)
            {
                _hung.Remove(worker);
                return null;
            }

            while (_queue.Count == 0)
            {
                _waiting++;
                var woken = !_stopped && Monitor.Wait(_gate, _options.IdleTimeout);
                _waiting--;
                if (_stopped || (!woken && _queue.Count == 0))
                {
                    _live.Remove(worker);
                    return null;
                }
            }

            return worker.Job = _queue.Dequeue();
        }
    }

    private void Watch()
    {
        List<EngineJob> lost = [];
        lock (_gate)
        {
            foreach (var worker in _live.Where(worker => worker.InCall > _options.CallTimeout).ToList())
            {
                worker.Abandoned = true;
                _live.Remove(worker);
                _hung[worker] = worker.Job is { } job ? Mounts.Of(job.Place) : "";
                if (worker.Job is { } waited) lost.Add(waited);
                EngineLog.WorkerAbandoned(_logger, _name, _options.CallTimeout, _hung.Count);
            }

            while (_queue.Count > _waiting && MaySpawn) Spawn();
            if (_live.Count == 0)
            {
                // No thread is left and none may be started: who waits must hear it. Those that hang count themselves back when freed.
                lost.AddRange(_queue.UnorderedItems.Select(item => item.Element));
                _queue.Clear();
                _watching = false;
                if (!_stopped) _watchdog.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        foreach (var job in lost) job.GiveUp(UnreadableCause.TimedOut, "ETIMEDOUT");
    }
}
