using System.Text.RegularExpressions;

namespace Ome.LocalCluster.Schemas;

/// <summary>Regular expressions of schemas: RE2 on a real server, hence matched without backtracking here.</summary>
internal static class Patterns
{
    // For the rare expression that only a backtracking matcher takes.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    /// <summary>Null when the text is no expression.</summary>
    public static Regex? Compile(string pattern)
    {
        try
        {
            return new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, Limit);
        }
        catch (NotSupportedException)
        {
            return new(pattern, RegexOptions.CultureInvariant, Limit);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
