using Ome.Shared.Domain.Models;

namespace Ome.Agent.Models;

/// <summary>
/// Keys of models that need a look. A key waits once, at the earlier of two times; touched while it is worked on, it comes back once. Different keys run
/// side by side, one key never twice at the same time. A failing run comes back after a growing pause.
/// </summary>
public sealed class ModelQueue(TimeProvider time)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<ModelKey, DateTimeOffset> _due = [];
    private readonly Dictionary<ModelKey, int> _failures = [];
    private readonly HashSet<ModelKey> _running = [];
    private TaskCompletionSource _changed = NewSignal();

    public int Waiting
    {
        get
        {
            lock (_gate) return _due.Count;
        }
    }

    /// <summary>Those of them whose time has come.</summary>
    public int Due
    {
        get
        {
            var now = time.GetUtcNow();
            lock (_gate) return _due.Count(pair => pair.Value <= now);
        }
    }

    public int Running
    {
        get
        {
            lock (_gate) return _running.Count;
        }
    }

    public void Add(ModelKey key, TimeSpan delay = default)
    {
        var due = time.GetUtcNow() + delay;
        lock (_gate)
        {
            if (_due.TryGetValue(key, out var earlier) && earlier <= due) return;
            _due[key] = due;
        }

        Signal();
    }

    /// <summary>Runs <paramref name="work"/> for every due key until cancelled; waits for what runs before it returns. The work's answer is when to look again.</summary>
    public async Task RunAsync(Func<ModelKey, CancellationToken, Task<TimeSpan?>> work, Action<ModelKey, Exception> failed, CancellationToken cancellationToken)
    {
        var tasks = new HashSet<Task>();
        try
        {
            while (true)
            {
                var (key, wait, signal) = Take();
                if (key is not null) tasks.Add(RunOneAsync(key, work, failed, cancellationToken));
                else await WaitAsync(wait, signal, cancellationToken);
                tasks.RemoveWhere(task => task.IsCompleted);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await Task.WhenAll(tasks);
        }
    }

    private async Task RunOneAsync(ModelKey key, Func<ModelKey, CancellationToken, Task<TimeSpan?>> work, Action<ModelKey, Exception> failed, CancellationToken cancellationToken)
    {
        await Task.Yield();
        TimeSpan? again;
        try
        {
            again = await work(key, cancellationToken);
            lock (_gate) _failures.Remove(key);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            again = null;
        }
        catch (Exception error)
        {
            failed(key, error);
            again = Pause(key);
        }

        lock (_gate) _running.Remove(key);
        if (again is { } delay) Add(key, delay);
        Signal();
    }

    private TimeSpan Pause(ModelKey key)
    {
        lock (_gate)
        {
            var failures = _failures[key] = _failures.GetValueOrDefault(key) + 1;
            return TimeSpan.FromTicks(Math.Min(LastRetry.Ticks, FirstRetry.Ticks << Math.Min(failures - 1, 10)));
        }
    }

    private (ModelKey? Key, TimeSpan Wait, Task Signal) Take()
    {
        lock (_gate)
        {
            if (_changed.Task.IsCompleted) _changed = NewSignal();
            var now = time.GetUtcNow();
            // Hundreds of models at most on a node: a scan is cheaper than keeping a heap honest.
            ModelKey? first = null;
            var at = DateTimeOffset.MaxValue;
            foreach (var (key, due) in _due)
            {
                if (due < at && !_running.Contains(key)) (first, at) = (key, due);
            }

            if (first is null) return (null, Timeout.InfiniteTimeSpan, _changed.Task);
            if (at > now) return (null, at - now, _changed.Task);
            _due.Remove(first);
            _running.Add(first);
            return (first, TimeSpan.Zero, _changed.Task);
        }
    }

    private async Task WaitAsync(TimeSpan wait, Task signal, CancellationToken cancellationToken)
    {
        // A wall clock set back must not stretch the wait.
        var bounded = wait == Timeout.InfiniteTimeSpan || wait > TimeSpan.FromMinutes(1) ? TimeSpan.FromMinutes(1) : wait;
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(signal, Task.Delay(bounded, time, timer.Token));
        await timer.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private void Signal()
    {
        lock (_gate) _changed.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
