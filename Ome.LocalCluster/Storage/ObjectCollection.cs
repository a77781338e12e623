using System.Collections.Immutable;
using System.Diagnostics;

namespace Ome.LocalCluster.Storage;

/// <summary>All objects of one kind and the recent history of their changes.</summary>
/// <remarks>Everything here is guarded by the lock of the <see cref="ObjectStore"/> that made it.</remarks>
public sealed class ObjectCollection
{
    /// <summary>Watchers are woken at most this often, so that a busy kind is sent in batches. A change after a pause is sent at once.</summary>
    private static readonly TimeSpan WakeInterval = TimeSpan.FromMilliseconds(4);

    private TaskCompletionSource? _changed;
    private long _lastWake = Stopwatch.GetTimestamp() - Stopwatch.Frequency;

    internal ObjectCollection(string name, int historyCapacity)
    {
        Name = name;
        History = new EventHistory(historyCapacity);
    }

    /// <summary><c>plural</c> or <c>plural.group</c>, as in error messages.</summary>
    public string Name { get; }

    internal EventHistory History { get; }

    internal ImmutableSortedDictionary<ObjectKey, StoredObject> Objects { get; set; } = ImmutableSortedDictionary<ObjectKey, StoredObject>.Empty;

    internal long LastRevision { get; set; }

    /// <summary>Its task completes at the next change.</summary>
    internal TaskCompletionSource Changed_NeedsLock() => _changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    internal void Pulse_NeedsLock()
    {
        if (_changed is not { } waiting) return;
        _changed = null;
        var since = Stopwatch.GetElapsedTime(_lastWake);
        if (since >= WakeInterval) Wake(waiting);
        else _ = WakeLaterAsync(waiting, WakeInterval - since);
    }

    // Real time on purpose: this paces this process's own work and is nothing a test's clock should stop.
    private async Task WakeLaterAsync(TaskCompletionSource waiting, TimeSpan delay)
    {
        await Task.Delay(delay, TimeProvider.System, CancellationToken.None);
        Wake(waiting);
    }

    private void Wake(TaskCompletionSource waiting)
    {
        Volatile.Write(ref _lastWake, Stopwatch.GetTimestamp());
        waiting.SetResult();
    }
}
