using System.Globalization;

namespace Ome.LocalCluster.Storage;

/// <summary>Text form of revisions (<c>resourceVersion</c>).</summary>
public static class Revisions
{
    public static string Format(long revision) => revision.ToString(CultureInfo.InvariantCulture);

    /// <summary>Only what the server itself hands out: digits, no sign, no space.</summary>
    public static bool TryParse(string text, out long revision) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out revision);
}
