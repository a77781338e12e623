namespace Ome.Agent.Integrity;

/// <summary>
/// How many models of a node may be withdrawn within a window before we hold and shout: a wrong manifest or a flaw of ours must not empty a fleet.
/// Readmissions are never held.
/// </summary>
/// <param name="limit">Withdrawals allowed in the window; 0 for no limit.</param>
/// <param name="window">Its length.</param>
public sealed class WithdrawalBrake(int limit, TimeSpan window)
{
    private readonly Queue<DateTimeOffset> _withdrawals = new();
    private readonly Lock _gate = new();

    /// <summary>Counts a withdrawal at <paramref name="now"/>, or refuses it.</summary>
    public bool TryWithdraw(DateTimeOffset now)
    {
        if (limit == 0) return true;
        lock (_gate)
        {
            while (_withdrawals.TryPeek(out var oldest) && now - oldest >= window) _withdrawals.Dequeue();
            if (_withdrawals.Count >= limit) return false;
            _withdrawals.Enqueue(now);
            return true;
        }
    }
}
