using System.Threading.Channels;
using Ome.Agent.Files;

namespace Ome.Agent.Staging;

/// <summary>
/// Where removed artifacts go: renamed aside at once, so that their name is free, deleted later, so that nobody waits for terabytes. What could not
/// be deleted is tried again; what a crash left is found again.
/// </summary>
public sealed partial class Trash(StagingLayout layout, StagingDisk disk, TimeProvider time, ILogger<Trash> logger)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LastRetry = TimeSpan.FromMinutes(10);

    // One signal is enough, however many removals gave it.
    private readonly Channel<bool> _filled = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private int _counter;

    /// <summary>Moves a directory or a link aside; false when nothing has that name.</summary>
    /// <exception cref="IOException">It could not be moved; it is still there.</exception>
    public bool Take(string path)
    {
        if (disk.Look(path) is not { } entry) return false;
        if (entry.Kind == FileType.Link)
        {
            File.Delete(path);
            return true;
        }

        Directory.CreateDirectory(layout.TrashRoot);
        string place;
        do place = Path.Combine(layout.TrashRoot, $"{StagingLayout.IdOf(path)}-{Interlocked.Increment(ref _counter)}");
        while (disk.Look(place) is not null);
        disk.Rename(path, place);
        disk.FlushDirectory(Path.GetDirectoryName(path)!);
        _filled.Writer.TryWrite(true);
        return true;
    }

    /// <summary>Deletes what was taken, until cancelled. Begins with what an earlier run left.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var pause = FirstRetry;
        while (true)
        {
            while (!await Task.Run(() => Empty(cancellationToken), cancellationToken).ConfigureAwait(false))
            {
                await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
                pause = pause * 2 < LastRetry ? pause * 2 : LastRetry;
            }

            pause = FirstRetry;
            await _filled.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Deletes everything once; false when something could not be.</summary>
    public bool Empty(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(layout.TrashRoot)) return true;
        var all = true;
        foreach (var place in Directory.EnumerateFileSystemEntries(layout.TrashRoot))
        {
            try
            {
                if (!DeleteTree(place, cancellationToken)) return false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                LogNotDeleted(place, e.Message);
                all = false;
            }
        }

        return all;
    }

    /// <summary>File by file, so that a shutdown does not wait for a model of terabytes. Links are removed, never followed.</summary>
    private bool DeleteTree(string place, CancellationToken cancellationToken)
    {
        if (disk.Look(place) is not (FileType.Directory, _, _))
        {
            File.Delete(place);
            return true;
        }

        foreach (var entry in Directory.EnumerateFileSystemEntries(place))
        {
            if (cancellationToken.IsCancellationRequested || !DeleteTree(entry, cancellationToken)) return false;
        }

        Directory.Delete(place);
        return true;
    }

    [LoggerMessage(4020, LogLevel.Warning, "{Place} could not be deleted and is tried again: {Problem}")]
    private partial void LogNotDeleted(string place, string problem);
}
