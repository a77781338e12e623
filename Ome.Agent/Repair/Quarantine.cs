using System.Globalization;
using Ome.Agent.Files;
using Ome.Agent.Staging;

namespace Ome.Agent.Repair;

/// <summary>
/// Keeps damaged files for people to look at, by a second name of the same inode: nothing is copied, and whoever maps the file goes on with it. Bounded in size and age;
/// the oldest goes first.
/// </summary>
public sealed partial class Quarantine(StagingLayout layout, StagingDisk disk, RepairOptions options, TimeProvider time, ILogger<Quarantine> logger)
{
    private const string TimeFormat = "yyyyMMdd'T'HHmmss";

    /// <summary>Keeps a file; null when it is larger than all room there is, or cannot be kept. Never a reason to stop a repair.</summary>
    public string? Keep(string file)
    {
        try
        {
            if (disk.Look(file) is not (FileType.Regular, var stamp, _)) return null;
            Sweep(room: stamp.Size);
            if (stamp.Size > options.QuarantineBytes) return null;
            Directory.CreateDirectory(layout.QuarantineRoot);
            var now = time.GetUtcNow().ToString(TimeFormat, CultureInfo.InvariantCulture);
            var name = Path.Combine(layout.QuarantineRoot, $"{now}-{StagingLayout.IdOf(file)[..8]}-{stamp.Inode}-{Path.GetFileName(file)}");
            disk.Link(file, name);
            LogKept(file, name);
            return name;
        }
        catch (IOException e)
        {
            LogNotKept(file, e.Message);
            return null;
        }
    }

    /// <summary>Deletes what is too old; what cannot be deleted now is tried at the next sweep.</summary>
    public void TrySweep()
    {
        try
        {
            Sweep();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotSwept(e.Message);
        }
    }

    /// <summary>Deletes what is too old, and the oldest until <paramref name="room"/> more bytes fit.</summary>
    public void Sweep(long room = 0)
    {
        if (!Directory.Exists(layout.QuarantineRoot)) return;
        var kept = new DirectoryInfo(layout.QuarantineRoot).EnumerateFiles().OrderBy(file => file.Name, StringComparer.Ordinal).ToList();
        var bytes = kept.Sum(file => file.Length);
        var oldest = time.GetUtcNow() - options.QuarantineAge;
        foreach (var file in kept)
        {
            var isOld = DateTimeOffset.TryParseExact(
                file.Name.Split('-')[0], TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var since) && since < oldest;
            if (!isOld && bytes + room <= options.QuarantineBytes) continue;
            bytes -= file.Length;
            file.Delete();
        }
    }

    [LoggerMessage(4050, LogLevel.Information, "Kept the damaged '{File}' as '{Place}'")]
    private partial void LogKept(string file, string place);

    [LoggerMessage(4053, LogLevel.Warning, "Old evidence could not be deleted: {Problem}")]
    private partial void LogNotSwept(string problem);

    [LoggerMessage(4051, LogLevel.Warning, "The damaged '{File}' could not be kept: {Problem}")]
    private partial void LogNotKept(string file, string problem);
}
