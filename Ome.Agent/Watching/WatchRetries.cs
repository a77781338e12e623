using Ome.Shared.Domain.Models;

namespace Ome.Agent.Watching;

/// <summary>When the kernel, having refused to watch a model, is asked again: a limit that is reached stays reached for hours. One thread.</summary>
internal sealed class WatchRetries(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private readonly Dictionary<ModelKey, (int Failures, long At)> _failed = [];

    public bool MayTry(ModelKey key) => !_failed.TryGetValue(key, out var failed) || time.GetElapsedTime(failed.At) >= Pause(failed.Failures);

    /// <summary>True for the first refusal since it stood.</summary>
    public bool Failed(ModelKey key)
    {
        var failures = _failed.GetValueOrDefault(key).Failures + 1;
        _failed[key] = (failures, time.GetTimestamp());
        return failures == 1;
    }

    /// <summary>It stands, or nobody asks for it any more.</summary>
    public void Forget(ModelKey key) => _failed.Remove(key);

    private static TimeSpan Pause(int failures) => TimeSpan.FromTicks(Math.Min(Longest.Ticks, First.Ticks << Math.Min(failures - 1, 20)));
}
