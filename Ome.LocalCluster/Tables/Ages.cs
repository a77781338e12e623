using System.Globalization;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Tables;

/// <summary>Durations and dates as kubectl shows them.</summary>
public static class Ages
{
    /// <summary>Since the given RFC 3339 text: <c>5s</c>, <c>3m7s</c>, <c>2d4h</c>, <c>1y30d</c>; <c>&lt;unknown&gt;</c> for none, <c>&lt;invalid&gt;</c> for text that is no time or lies ahead.</summary>
    public static string Since(JsonNode? time, DateTimeOffset now)
    {
        if (time is not JsonValue value || !value.TryGetValue<string>(out var text) || text.Length == 0) return "<unknown>";
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var start) ? Human(now - start) : "<invalid>";
    }

    /// <summary>Two units at most, the coarser the longer; up to two seconds of clock difference read as zero.</summary>
    public static string Human(TimeSpan span)
    {
        var seconds = (long)Math.Truncate(span.TotalSeconds);
        if (seconds < -1) return "<invalid>";
        if (seconds < 0) return "0s";
        long minutes = seconds / 60, hours = seconds / 3600, days = hours / 24, years = days / 365;
        if (seconds < 120) return $"{seconds}s";
        if (minutes < 10) return With(minutes, "m", seconds % 60, "s");
        if (minutes < 180) return $"{minutes}m";
        if (hours < 8) return With(hours, "h", minutes % 60, "m");
        if (hours < 48) return $"{hours}h";
        if (days < 8) return With(days, "d", hours % 24, "h");
        if (days < 730) return $"{days}d";
        return years < 8 ? With(years, "y", days % 365, "d") : $"{years}y";
    }

    private static string With(long coarse, string coarseUnit, long fine, string fineUnit) => fine == 0 ? $"{coarse}{coarseUnit}" : $"{coarse}{coarseUnit}{fine}{fineUnit}";
}
