using System.Globalization;

namespace Ome.Shared.Domain.Metadata;

/// <summary>Parameter counts as people write them (contract 6.6).</summary>
public static class ParameterText
{
    private static readonly (long Size, string Suffix)[] Units =
        [(1_000_000_000_000, "T"), (1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K")];

    /// <summary>8030261248 → <c>8.03B</c>; 1250000000 → <c>1.2B</c>; 500 → <c>500</c>.</summary>
    public static string Format(long count)
    {
        foreach (var (size, suffix) in Units)
        {
            if (count < size) continue;
            var x = (double)count / size;
            if (x == Math.Truncate(x)) return x.ToString("F0", CultureInfo.InvariantCulture) + suffix;
            var hundredths = x * 100;
            return Round(x, hundredths == Math.Truncate(hundredths) ? 1 : 2) + suffix;
        }

        return count.ToString(CultureInfo.InvariantCulture);
    }

    // Half to even on the exact binary value, as C's and Go's %.1f do; .NET's own "F1" rounds half away from zero.
    private static string Round(double x, int digits)
    {
        var exact = decimal.Parse(x.ToString("F24", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return Math.Round(exact, digits, MidpointRounding.ToEven).ToString("F" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
