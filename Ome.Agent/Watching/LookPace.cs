using System.Collections.Concurrent;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Watching;

/// <summary>
/// How soon a model is looked at again after a change: at once, until several looks in a row found nothing new, as when a log is written among the model's
/// files. Then looks take at most a sixth of the time, at most one a second. Damage, or its end, ends the row. Any thread.
/// </summary>
internal sealed class LookPace(TimeProvider time)
{
    /// <summary>Looks in a row that are free: a copy that ends, a touch, a change seen in two parts.</summary>
    private const int Free = 2;

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<ModelKey, Row> _rows = new();

    /// <summary>Looks that found nothing new, one soon after the other.</summary>
    /// <param name="Looks">How many.</param>
    /// <param name="Newest">When the newest one began or ended.</param>
    /// <param name="Gap">From then to the next one.</param>
    private readonly record struct Row(int Looks, long Newest, TimeSpan Gap);

    /// <summary>How long the next look waits.</summary>
    public TimeSpan Wait(ModelKey key)
    {
        if (!_rows.TryGetValue(key, out var row) || row.Looks < Free) return TimeSpan.Zero;
        var left = row.Gap - time.GetElapsedTime(row.Newest);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>A look begins; gives its time to hand back at its end.</summary>
    public long Began(ModelKey key)
    {
        var now = time.GetTimestamp();
        while (_rows.TryGetValue(key, out var row))
        {
            // Long after the last one a new row begins.
            var next = time.GetElapsedTime(row.Newest, now) > 2 * row.Gap ? row with { Looks = 0, Newest = now } : row with { Newest = now };
            if (_rows.TryUpdate(key, next, row)) break;
        }

        return now;
    }

    public void Ended(ModelKey key, long began, bool foundNews)
    {
        if (foundNews)
        {
            Forget(key);
            return;
        }

        var now = time.GetTimestamp();
        var gap = TimeSpan.FromTicks(Math.Clamp(5 * time.GetElapsedTime(began, now).Ticks, Shortest.Ticks, Longest.Ticks));
        _rows.AddOrUpdate(key, _ => new Row(1, now, gap), (_, row) => new Row(row.Looks + 1, now, gap));
    }

    public void Forget(ModelKey key) => _rows.TryRemove(key, out _);
}
