namespace Ome.Tests.Support;

/// <summary>The inotify instances a process has open: there are 128 for all processes of a user.</summary>
internal static class InotifyInstances
{
    /// <summary>Of a process, by its number or <c>self</c>.</summary>
    public static int Of(string process) => Directory.EnumerateFiles($"/proc/{process}/fd").Count(static path => TargetOf(path) == "anon_inode:inotify");

    private static string? TargetOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (IOException)
        {
            // Closed meanwhile.
            return null;
        }
    }
}
