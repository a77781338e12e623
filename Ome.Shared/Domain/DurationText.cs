using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Ome.Shared.Domain;

/// <summary>
/// Durations as Kubernetes people write them: <c>300ms</c>, <c>30s</c>, <c>10m</c>, <c>1h30m</c>, <c>7d</c>. Units ms, s, m, h, d, largest first, each at most once.
/// </summary>
public static class DurationText
{
    private static readonly (string Unit, long Ticks)[] Units =
    [
        ("d", TimeSpan.TicksPerDay), ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute), ("s", TimeSpan.TicksPerSecond), ("ms", TimeSpan.TicksPerMillisecond),
    ];

    /// <summary>What a person is told when the text is none.</summary>
    public const string Expected = "a duration such as 30s, 10m, 1h30m or 7d";

    public static bool TryParse([NotNullWhen(true)] string? text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (string.IsNullOrEmpty(text)) return false;
        if (text == "0") return true;
        var rest = text.AsSpan();
        var (next, ticks) = (0, 0L);
        while (rest.Length > 0)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits is <= 0 or > 12) return false;
            var count = long.Parse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
            rest = rest[digits..];
            var letters = rest.IndexOfAnyInRange('0', '9');
            var unit = rest[..(letters < 0 ? rest.Length : letters)];
            var index = IndexOf(unit, next);
            if (index < 0 || count > TimeSpan.MaxValue.Ticks / Units[index].Ticks) return false;
            var part = count * Units[index].Ticks;
            if (part > TimeSpan.MaxValue.Ticks - ticks) return false;
            ticks += part;
            next = index + 1;
            rest = rest[unit.Length..];
        }

        duration = new TimeSpan(ticks);
        return true;
    }

    /// <summary>The shortest exact text; <c>0s</c> for zero.</summary>
    public static string Format(TimeSpan duration)
    {
        if (duration < TimeSpan.Zero) return "-" + Format(duration.Negate());
        var (rest, text) = (duration.Ticks, "");
        foreach (var (unit, ticks) in Units)
        {
            if (rest < ticks) continue;
            text += (rest / ticks).ToString(CultureInfo.InvariantCulture) + unit;
            rest %= ticks;
        }

        return text.Length > 0 ? text : "0s";
    }

    private static int IndexOf(ReadOnlySpan<char> unit, int from)
    {
        for (var i = from; i < Units.Length; i++)
        {
            if (unit.SequenceEqual(Units[i].Unit)) return i;
        }

        return -1;
    }
}
