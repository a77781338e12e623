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
    private readonly WatchRetries _retries = new(time);
    private readonly LookPace _pace = new(time);
    private readonly Wake _records = new();
    private readonly Channel<ModelKey> _suspects = Channel.CreateUnbounded<ModelKey>(new UnboundedChannelOptions { SingleReader = true });

    // Only the arming loop's: models that were to be watched at its last turn.
    private readonly HashSet<ModelKey> _known = [];

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
        records.Changed += OnRecordChanged;
        try
        {
            await Task.WhenAll(ArmAsync(stoppingToken), CheckAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            records.Changed -= OnRecordChanged;
            foreach (var watch in _watches.Values) watch.Dispose();
        }
    }

    private void OnRecordChanged(object? sender, EventArgs change) => _records.Call();

    /// <summary>Watches come and go with Ready models, at once; memory is compared, the disk is asked only for directories that were gone.</summary>
    private async Task ArmAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var wanted = records.All.Where(record => record.Phase is ModelPhase.Ready or ModelPhase.Withdrawn && record.StoragePath.Length > 0).ToDictionary(record => record.Key);
            foreach (var (key, watch) in _watches)
            {
                if (!wanted.TryGetValue(key, out var record) || record.StoragePath != watch.Directory) Drop(key);
            }

            foreach (var key in _known.Where(key => !wanted.ContainsKey(key)).ToList()) Forget(key);

            foreach (var (key, record) in wanted)
            {
                _known.Add(key);
                Arm(key, record.StoragePath, IsRootLost(record));
            }

            await _records.WaitAsync(Refresh, time, cancellationToken);
        }
    }

    /// <summary>
    /// The kernel watches what lies at a path, not the path: whenever a directory was gone, by removal or because its disk was, what lies there afterwards
    /// is watched anew.
    /// </summary>
    private void Arm(ModelKey key, string directory, bool rootIsLost)
    {
        var isSame = _watches.TryGetValue(key, out var watch) && watch.RootWasLost == rootIsLost;
        if (isSame && watch!.Own is not null)
        {
            Proven(key, rootIsLost);
            return;
        }

        if (!_retries.MayTry(key)) return;
        var isThere = Directory.Exists(directory);
        if (isSame && !isThere) return;
        var failures = _retries.Failures(key);
        FileSystemWatcher? parent = null;
        try
        {
            parent = Path.GetDirectoryName(directory) is { } above && Directory.Exists(above) ? Open(key, above, Path.GetFileName(directory)) : null;
            var own = isThere ? Open(key, directory, name: null) : null;
            Drop(key);
            _watches[key] = new Watch(directory, own, parent, rootIsLost);
            if (_retries.Failures(key) != failures) Drop(key);
            else if (failures == 0) Armed(key, rootIsLost);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException)
        {
            parent?.Dispose();
            Refused(key, directory, refused.Message);
        }
    }

    /// <summary>A watch that failed before and now stands since the last turn: the kernel tells of a refusal after it seemed to agree.</summary>
    private void Proven(ModelKey key, bool rootIsLost)
    {
        if (_retries.Succeeded(key)) Armed(key, rootIsLost);
    }

    /// <summary>What happened before it was watched is seen by this look. While the directory is gone its checks come by their own pace.</summary>
    private void Armed(ModelKey key, bool rootIsLost)
    {
        observer.Watched(key, true);
        if (!rootIsLost) Suspect(key);
    }

    /// <summary>True for the first refusal in a row; the kernel is asked again after ever longer pauses.</summary>
    private bool Refused(ModelKey key, string directory, string why)
    {
        var isFirst = _retries.Failed(key);
        if (isFirst) LogNotWatched(key, directory, why);
        observer.Watched(key, false);
        return isFirst;
    }

    private void Forget(ModelKey key)
    {
        _known.Remove(key);
        _retries.Forget(key);
        _pace.Forget(key);
        observer.Watched(key, null);
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
        watcher.Error += (_, error) => Lost(key, directory, error.GetException());
        watcher.EnableRaisingEvents = true;
        return watcher;
    }

    /// <summary>The directory itself went or came: another one may lie there now. Its parent stays watched until it is.</summary>
    private void Renew(ModelKey key)
    {
        if (_watches.TryGetValue(key, out var watch) && _watches.TryUpdate(key, watch with { Own = null }, watch)) watch.Own?.Dispose();
        Suspect(key);
    }

    private void Lost(ModelKey key, string directory, Exception why)
    {
        var isOverflow = why is InternalBufferOverflowException;
        if (isOverflow) observer.EventsLost();
        // A watch that ends may have missed something; one that never stood missed nothing that the look at its first refusal did not see.
        var isNews = isOverflow || Refused(key, directory, why.Message);
        Drop(key);
        if (isNews) Suspect(key);
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
        while (await _suspects.Reader.WaitToReadAsync(cancellationToken))
        {
            // A burst of events is one look; models are looked at side by side, also when all of them are hit at once.
            await Task.Delay(Gather, time, cancellationToken);
            while (_suspects.Reader.TryRead(out var key)) _ = RunAsync(key, cancellationToken);
        }
    }

    private async Task RunAsync(ModelKey key, CancellationToken cancellationToken)
    {
        try
        {
            // Events that come while it waits are seen by the same look.
            if (_pace.Wait(key) is var wait && wait > TimeSpan.Zero) await Task.Delay(wait, time, cancellationToken);
            _queued.TryRemove(key, out _);
            var (began, known) = (_pace.Began(key), records.Find(key));
            await integrity.RunAsync(key, CheckTrigger.Suspicion, cancellationToken);
            _pace.Ended(key, began, foundNews: IsNews(known, records.Find(key)));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            LogFailed(error, key);
        }
    }

    private static bool IsNews(ModelRecord? known, ModelRecord? found) =>
        known?.Phase != found?.Phase || !(known?.Findings ?? []).SequenceEqual(found?.Findings ?? []);

    [LoggerMessage(EventId = 2601, Level = LogLevel.Warning, Message = "{Model} is not watched: {Directory}: {Problem}. It is still checked on schedule. Raising fs.inotify.max_user_watches may help.")]
    private partial void LogNotWatched(ModelKey model, string directory, string problem);

    [LoggerMessage(EventId = 2602, Level = LogLevel.Warning, Message = "The look at {Model} after a change could not run; its scheduled check will")]
    private partial void LogFailed(Exception error, ModelKey model);
}
