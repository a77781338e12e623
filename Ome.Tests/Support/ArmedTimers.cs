using System.Collections.Concurrent;

namespace Ome.Tests.Support;

/// <summary>The real clock, which knows what its timers are set to.</summary>
internal sealed class ArmedTimers : TimeProvider
{
    private readonly ConcurrentDictionary<Armed, bool> _timers = new();

    /// <summary>How long those that are set were set for; for those that ring again and again, how often.</summary>
    public IReadOnlyList<TimeSpan> Waits => [.. _timers.Keys.Select(static timer => timer.Wait).Where(static wait => wait != Timeout.InfiniteTimeSpan)];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Armed(this, callback, state);
        _timers[timer] = true;
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Armed : ITimer
    {
        private readonly ArmedTimers _all;
        private readonly ITimer _timer;
        private long _wait = Timeout.InfiniteTimeSpan.Ticks;
        private long _period = Timeout.InfiniteTimeSpan.Ticks;

        public Armed(ArmedTimers all, TimerCallback callback, object? state)
        {
            _all = all;
            _timer = System.CreateTimer(
                _ =>
                {
                    Interlocked.Exchange(ref _wait, Interlocked.Read(ref _period));
                    callback(state);
                },
                null,
                Timeout.InfiniteTimeSpan,
                Timeout.InfiniteTimeSpan);
        }

        public TimeSpan Wait => TimeSpan.FromTicks(Interlocked.Read(ref _wait));

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Interlocked.Exchange(ref _period, period > TimeSpan.Zero ? period.Ticks : Timeout.InfiniteTimeSpan.Ticks);
            Interlocked.Exchange(ref _wait, dueTime.Ticks);
            return _timer.Change(dueTime, period);
        }

        public void Dispose()
        {
            _all._timers.TryRemove(this, out _);
            _timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            _all._timers.TryRemove(this, out _);
            return _timer.DisposeAsync();
        }
    }
}
