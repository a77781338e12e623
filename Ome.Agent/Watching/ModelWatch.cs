using System.Collections.Concurrent;
using System.Threading.Channels;
using Ome.Agent.Hosting;
using Ome.Agent.Integrity;
using Ome.Agent.Models;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Watching;

/// <summary>
/// Lets the kernel tell of changes below the directories of Ready models and has those models looked at within a moment. A hint, never a proof: what the
/// kernel does not see (other machines' writes, media rot) is found by the scheduled checks; a lost event costs one look at everything.
/// </summary>
public sealed partial class ModelWatch(ModelRecordStore records, IntegrityService integrity, IIntegrityObserver observer, AgentOptions options, TimeProvider time, ILogger<ModelWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<ModelKey, Watch> _watches = new();
    private readonly ConcurrentDictionary<ModelKey, bool> _queued = new();
    private readonly Channel<ModelKey> _suspects = Channel.CreateUnbounded<ModelKey>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>What the kernel tells of for one model.</summary>
    /// <param name="Directory">The model's.</param>
    /// <param name="Own">Everything below it; null while it is not there.</param>
    /// <param name="Parent">Its own coming and going.</param>
    /// <param name="RootWasLost">When this was opened, the newest check had not found the directory.</param>
    private sealed record Watch(string Directory, FileSystemWatcher? Own, FileSystemWatcher? Parent, bool RootWasLost) : IDisposable
    {
        public void Dispose()
        {
            Own?.Dispose();
            Parent?.Dispose();
        }
    }

    /// <summary>Models that are watched.</summary>
    public int Count => _watches.Count;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Watch) return;
        try
        {
            await Task.WhenAll(ArmAsync(stoppingToken), CheckAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            foreach (var watch in _watches.Values) watch.Dispose();
        }
    }

    /// <summary>Watches come and go with Ready models; memory is compared, the disk is asked only for directories that were gone.</summary>
    private async Task ArmAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Refresh, time);
        do
        {
            var wanted = records.All.Where(record => record.Phase is ModelPhase.Ready or ModelPhase.Withdrawn && record.StoragePath.Length > 0).ToDictionary(record => record.Key);
            foreach (var (key, watch) in _watches)
            {
                if (!wanted.TryGetValue(key, out var record) || record.StoragePath != watch.Directory) Drop(key);
            }

            foreach (var (key, record) in wanted) Arm(key, record.StoragePath, IsRootLost(record));
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    /// <summary>
    /// The kernel watches what lies at a path, not the path: whenever a directory was gone, by removal or because its disk was, what lies there afterwards
    /// is watched anew.
    /// </summary>
    private void Arm(ModelKey key, string directory, bool rootIsLost)
    {
        var isSame = _watches.TryGetValue(key, out var watch) && watch.RootWasLost == rootIsLost;
        if (isSame && watch!.Own is not null) return;
        var isThere = Directory.Exists(directory);
        if (isSame && !isThere) return;
        try
        {
            var parent = Path.GetDirectoryName(directory) is { } above && Directory.Exists(above) ? Open(key, above, Path.GetFileName(directory)) : null;
            var own = isThere ? Open(key, directory, name: null) : null;
            Drop(key);
            _watches[key] = new Watch(directory, own, parent, rootIsLost);
            // What happened before it was watched is seen by this look. While the directory is gone its checks come by their own pace.
            if (!rootIsLost) Suspect(key);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException)
        {
            LogNotWatched(key, directory, refused.Message);
        }
    }

    /// <summary>The newest check found nothing where the directory should be: a finding about no file.</summary>
    private static bool IsRootLost(ModelRecord record) =>
        record.Findings is [{ Path: null, Reason: nameof(FindingReason.RootUnavailable) or nameof(FindingReason.FileMissing) }, ..];

    /// <summary>Everything below the directory, or with <paramref name="name"/> only the directory's own coming, going and permissions in its parent.</summary>
    private FileSystemWatcher Open(ModelKey key, string directory, string? name)
    {
        var watcher = new FileSystemWatcher(directory)
        {
            IncludeSubdirectories = name is null,
            InternalBufferSize = 64 * 1024,
            NotifyFilter = name is null
                ? NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.Size | NotifyFilters.LastWrite | NotifyFilters.Attributes
                : NotifyFilters.DirectoryName | NotifyFilters.Attributes,
        };
        if (name is not null) watcher.Filter = name;
        FileSystemEventHandler changed = name is null ? (_, _) => Suspect(key) : (_, _) => Renew(key);
        watcher.Created += changed;
        watcher.Deleted += changed;
        watcher.Changed += (_, _) => Suspect(key);
        watcher.Renamed += (sender, change) => changed(sender, change);
        watcher.Error += (_, error) => Lost(key, error.GetException());
        watcher.EnableRaisingEvents = true;
        return watcher;
    }

    /// <summary>The directory itself went or came: another one may lie there now. Its parent stays watched until it is.</summary>
    private void Renew(ModelKey key)
    {
        if (_watches.TryGetValue(key, out var watch) && _watches.TryUpdate(key, watch with { Own = null }, watch)) watch.Own?.Dispose();
        Suspect(key);
    }

    private void Lost(ModelKey key, Exception why)
    {
        if (why is InternalBufferOverflowException) observer.EventsLost();
        Drop(key);
        Suspect(key);
    }

    private void Drop(ModelKey key)
    {
        if (_watches.TryRemove(key, out var watch)) watch.Dispose();
    }

    private void Suspect(ModelKey key)
    {
        if (_queued.TryAdd(key, true)) _suspects.Writer.TryWrite(key);
    }

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        await foreach (var key in _suspects.Reader.ReadAllAsync(cancellationToken))
        {
            // A burst of events is one look; models are looked at side by side.
            await Task.Delay(Gather, time, cancellationToken);
            _queued.TryRemove(key, out _);
            _ = RunAsync(key, cancellationToken);
        }
    }

    private async Task RunAsync(ModelKey key, CancellationToken cancellationToken)
    {
        try
        {
            await integrity.RunAsync(key, CheckTrigger.Suspicion, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            LogFailed(error, key);
        }
    }

    [LoggerMessage(EventId = 2601, Level = LogLevel.Warning, Message = "{Model} is not watched: {Directory}: {Problem}. It is still checked on schedule. Raising fs.inotify.max_user_watches may help.")]
    private partial void LogNotWatched(ModelKey model, string directory, string problem);

    [LoggerMessage(EventId = 2602, Level = LogLevel.Warning, Message = "The look at {Model} after a change could not run; its scheduled check will")]
    private partial void LogFailed(Exception error, ModelKey model);
}
