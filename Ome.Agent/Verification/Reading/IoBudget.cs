namespace Ome.Agent.Verification.Reading;

/// <summary>
/// How many bytes a second the whole process may read: one token bucket for all readers. Takers are served in order. Over any span of
/// time at most the rate times the span plus <see cref="Burst"/> is granted: 0.4 % over in 60 s. The rate may change while readers wait.
/// </summary>
public sealed class IoBudget : IDisposable
{
    /// <summary>Time whose worth of bytes an idle bucket holds.</summary>
    public static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(250);

    private readonly TimeProvider _time;
    private readonly ITimer _alarm;

    // A monitor and not a Lock: takers wait on it.
    private readonly object _gate = new();
    private long _bytesPerSecond;
    private long _lastTick;
    private long _alarmAt = long.MaxValue;
    private TimeSpan _waited;

    /// <summary>Bytes asked for so far; a taker's ticket is its value just after its own request.</summary>
    private double _asked;

    /// <summary>Bytes the clock has released so far; never more than was asked for, so idleness saves up nothing but the burst.</summary>
    private double _released;

    /// <summary>Starts with a full bucket.</summary>
    /// <param name="bytesPerSecond">0 = unlimited.</param>
    /// <param name="time">The clock that releases bytes.</param>
    public IoBudget(long bytesPerSecond, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytesPerSecond);
        (_bytesPerSecond, _time, _lastTick) = (bytesPerSecond, time, time.GetTimestamp());
        _alarm = time.CreateTimer(_ => Ring(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Bytes a second; 0 = unlimited. Setting it takes effect at once, also for those who wait.</summary>
    public long BytesPerSecond
    {
        get => Volatile.Read(ref _bytesPerSecond);
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            lock (_gate)
            {
                Advance();
                Volatile.Write(ref _bytesPerSecond, value);
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>Bytes that takers wait for now.</summary>
    public long Backlog
    {
        get
        {
            lock (_gate)
            {
                Advance();
                return (long)Math.Max(0, _asked - _released - BurstBytes);
            }
        }
    }

    /// <summary>Time that all takers together have waited so far.</summary>
    public TimeSpan Waited
    {
        get
        {
            lock (_gate) return _waited;
        }
    }

    private double BurstBytes => _bytesPerSecond * Burst.TotalSeconds;

    /// <summary>Blocks until <paramref name="bytes"/> may be read; false when cancelled first. For dedicated threads, not the pool's.</summary>
    public bool Take(long bytes, CancellationToken cancellationToken)
    {
        if (BytesPerSecond == 0) return !cancellationToken.IsCancellationRequested;
        using var wake = cancellationToken.UnsafeRegister(static budget => ((IoBudget)budget!).Ring(), this);
        lock (_gate)
        {
            var began = _time.GetTimestamp();
            var granted = Wait(bytes, cancellationToken);
            _waited += _time.GetElapsedTime(began);
            return granted;
        }
    }

    public void Dispose() => _alarm.Dispose();

    private bool Wait(long bytes, CancellationToken cancellationToken)
    {
        Advance();
        _asked += bytes;
        var ticket = _asked;
        while (true)
        {
            Advance();
            var missing = ticket - BurstBytes - _released;
            if (cancellationToken.IsCancellationRequested)
            {
                // Only the newest ticket can be handed back; an older one stays spent, which grants less, never more.
                if (missing > 0 && ticket == _asked) _asked = Math.Max(_released, _asked - bytes);
                return false;
            }

            // The rest of a byte is none: it would be waited for in spans shorter than any timer's.
            if (_bytesPerSecond == 0 || missing < 1) return true;
            // Setting the alarm takes time: look at the clock once more before trusting it.
            if (!SetAlarm(TimeSpan.FromSeconds(missing / _bytesPerSecond))) Monitor.Wait(_gate);
        }
    }

    private void Advance()
    {
        var tick = _time.GetTimestamp();
        var gained = _time.GetElapsedTime(_lastTick, tick).TotalSeconds * _bytesPerSecond;
        _lastTick = tick;
        _released = _bytesPerSecond == 0 ? _asked : Math.Min(_asked, _released + gained);
    }

    /// <summary>True when an earlier alarm than the one under way was needed.</summary>
    private bool SetAlarm(TimeSpan delay)
    {
        var tick = _time.TimestampFrequency / 1000;
        var milliseconds = Math.Clamp((long)Math.Ceiling(delay.TotalMilliseconds), 1, 60_000);
        var at = _time.GetTimestamp() + (milliseconds * tick);
        if (at > _alarmAt - tick) return false;
        _alarmAt = at;
        _alarm.Change(TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
        return true;
    }

    private void Ring()
    {
        lock (_gate)
        {
            _alarmAt = long.MaxValue;
            Monitor.PulseAll(_gate);
        }
    }
}
