using Ome.Shared.Domain.Models;

namespace Ome.Agent.Models;

/// <summary>Lets a bounded number of stagings run at a time; the others wait, the most urgent first. Removals and checks take no turn.</summary>
/// <param name="most">As many run.</param>
/// <param name="priority">A model's priority at the moment a turn is given.</param>
public sealed class StagingTurns(int most, Func<ModelKey, int> priority)
{
    private readonly Lock _gate = new();
    private readonly List<Waiter> _waiting = [];
    private int _running;
    private long _arrived;

    private sealed record Waiter(ModelKey Key, long Arrival, TaskCompletionSource Turn);

    /// <summary>Stagings that run.</summary>
    public int Running
    {
        get
        {
            lock (_gate) return _running;
        }
    }

    /// <summary>Stagings that wait for one to end.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate) return _waiting.Count;
        }
    }

    /// <summary>Whether a turn is to be had without waiting.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_gate) return _running < most && _waiting.Count == 0;
        }
    }

    /// <summary>Waits for a turn; disposing the answer ends it.</summary>
    public async Task<IDisposable> TakeAsync(ModelKey key, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(key, Interlocked.Increment(ref _arrived), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_gate) _waiting.Add(waiter);
        GiveTurns();
        await using var give = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var (turns, waiter) = ((StagingTurns, Waiter))state!;
                turns.Leave(waiter, token);
            },
            (this, waiter));
        await waiter.Turn.Task;
        return new Turn(this);
    }

    private void Leave(Waiter waiter, CancellationToken cancellationToken)
    {
        bool waited;
        lock (_gate) waited = _waiting.Remove(waiter);
        if (waited) waiter.Turn.TrySetCanceled(cancellationToken);
    }

    private void GiveTurns()
    {
        lock (_gate)
        {
            while (_running < most && _waiting.Count > 0)
            {
                var at = StagingOrder.Next([.. _waiting.Select(waiter => new WaitingStaging(priority(waiter.Key), waiter.Arrival))]);
                var next = _waiting[at];
                _waiting.RemoveAt(at);
                _running++;
                next.Turn.SetResult();
            }
        }
    }

    private void End()
    {
        lock (_gate) _running--;
        GiveTurns();
    }

    private sealed class Turn(StagingTurns turns) : IDisposable
    {
        private StagingTurns? _turns = turns;

        public void Dispose() => Interlocked.Exchange(ref _turns, null)?.End();
    }
}
