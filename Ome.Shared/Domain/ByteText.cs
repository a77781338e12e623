using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Ome.Shared.Domain;

/// <summary>Byte counts as people write them: <c>500</c>, <c>64KiB</c>, <c>200MB</c>, <c>1.5GiB</c>, also Kubernetes' short forms <c>64Ki</c>, <c>200M</c>.</summary>
public static class ByteText
{
    private static readonly (string Suffix, long Bytes)[] Units =
    [
        ("Ki", 1L << 10), ("Mi", 1L << 20), ("Gi", 1L << 30), ("Ti", 1L << 40), ("k", 1_000), ("K", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000),
    ];

    /// <summary>What a person is told when the text is none.</summary>
    public const string Expected = "a byte count such as 500, 64KiB, 200MB or 1.5GiB";

    public static bool TryParse([NotNullWhen(true)] string? text, out long bytes)
    {
        bytes = 0;
        if (string.IsNullOrEmpty(text)) return false;
        var number = text.AsSpan();
        if (number.EndsWith("B")) number = number[..^1];
        var unit = 1L;
        foreach (var (suffix, size) in Units)
        {
            if (!number.EndsWith(suffix)) continue;
            number = number[..^suffix.Length];
            unit = size;
            break;
        }

        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count) || count < 0 || count > long.MaxValue / (decimal)unit) return false;
        bytes = (long)(count * unit);
        return true;
    }

    /// <summary>For people: <c>1.5 GiB</c>, <c>64 KiB</c>, <c>17 B</c>.</summary>
    public static string Format(long bytes)
    {
        string[] names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        var (value, index) = ((double)bytes, 0);
        while (Math.Abs(value) >= 1024 && index < names.Length - 1)
        {
            value /= 1024;
            index++;
        }

        return value.ToString(index == 0 || value == Math.Truncate(value) ? "F0" : "F1", CultureInfo.InvariantCulture) + " " + names[index];
    }
}
