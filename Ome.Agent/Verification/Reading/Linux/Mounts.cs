namespace Ome.Agent.Verification.Reading.Linux;

/// <summary>Which mount a path lies on, told without asking the mount itself: one that hangs would not answer.</summary>
internal static class Mounts
{
    /// <summary>Fields of a line of mountinfo.</summary>
    private const int PointAt = 4;

    private static readonly (string Escaped, string Character)[] Escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];

    /// <summary>
    /// The innermost mount at or above <paramref name="path"/>, by number and mount point: what is mounted there later is another one. Links above the
    /// path are not followed. Empty when the kernel does not tell.
    /// </summary>
    public static string Of(string path)
    {
        try
        {
            return Innermost(File.ReadLines("/proc/self/mountinfo"), path);
        }
        catch (Exception unavailable) when (unavailable is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    internal static string Innermost(IEnumerable<string> mountInfo, string path)
    {
        var (mount, length) = ("", 0);
        foreach (var line in mountInfo)
        {
            var fields = line.Split(' ', PointAt + 2);
            if (fields.Length < PointAt + 2) continue;
            var point = Unescaped(fields[PointAt]);
            // Of several at one point the last one listed lies on top.
            if (point.Length >= length && IsAtOrBelow(path, point)) (mount, length) = ($"{fields[0]} {point}", point.Length);
        }

        return mount;
    }

    private static bool IsAtOrBelow(string path, string point) =>
        point == "/" || (path.StartsWith(point, StringComparison.Ordinal) && (path.Length == point.Length || path[point.Length] == '/'));

    private static string Unescaped(string field)
    {
        foreach (var (escaped, character) in Escapes) field = field.Replace(escaped, character, StringComparison.Ordinal);
        return field;
    }
}
