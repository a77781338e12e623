using System.Collections.Concurrent;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Watching;

/// <summary>When the kernel, having refused to watch a model, is asked again: a limit that is reached stays reached for hours. Any thread.</summary>
internal sealed class WatchRetries(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<ModelKey, (int Failures, long At)> _failed = new();

    public int Failures(ModelKey key) => _failed.GetValueOrDefault(key).Failures;

    public bool MayTry(ModelKey key) => !_failed.TryGetValue(key, out var failed) || time.GetElapsedTime(failed.At) >= Pause(failed.Failures);

    /// <summary>True for the first refusal since it stood.</summary>
    public bool Failed(ModelKey key) => _failed.AddOrUpdate(key, _ => (1, time.GetTimestamp()), (_, failed) => (failed.Failures + 1, time.GetTimestamp())).Failures == 1;

    /// <summary>True when it had been refused before.</summary>
    public bool Succeeded(ModelKey key) => _failed.TryRemove(key, out _);

    public void Forget(ModelKey key) => _failed.TryRemove(key, out _);

    private static TimeSpan Pause(int failures) => TimeSpan.FromTicks(Math.Min(Longest.Ticks, First.Ticks << Math.Min(failures - 1, 20)));
}
