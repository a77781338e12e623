using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification.Reading;

/// <summary>
/// What a scan tells, and how much of it: a pass that is given up half way still says how far it came. Once its answer is out it tells nothing more,
/// whenever the kernel lets its thread go: who listened may be at another pass.
/// </summary>
internal sealed class ScanVisits<T>(Action<T> visit)
{
    private readonly Lock _gate = new();
    private long _told;
    private bool _ended;

    /// <summary>False when nobody listens any more.</summary>
    public bool Tell(T entry)
    {
        lock (_gate)
        {
            if (_ended) return false;
            visit(entry);
            _told++;
            return true;
        }
    }

    public StatPassEnd End(FileObservation.Unreadable? failure)
    {
        lock (_gate)
        {
            _ended = true;
            return new StatPassEnd(_told, failure);
        }
    }
}

/// <summary>How a scan ends that nobody waits for.</summary>
internal static class ScanVisits
{
    public static FileObservation.Unreadable Cancelled { get; } = new(UnreadableCause.Cancelled, "ECANCELED");
}
