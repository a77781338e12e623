using System.Collections.Concurrent;
using System.Threading.Channels;
using Ome.Agent.Hosting;
using Ome.Agent.Integrity;
using Ome.Agent.Models;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Watching;

/// <summary>
/// Lets the kernel tell of changes below the directories of Ready models and has those models looked at within a moment. A hint, never a proof: what the
/// kernel does not see (other machines' writes, media rot) is found by the scheduled checks; a lost event costs one look at everything.
/// </summary>
internal sealed partial class ModelWatch(
    ModelRecordStore records, IntegrityService integrity, IIntegrityObserver observer, Func<IKernelEvents> kernel, ReadEngine engine, TimeProvider time, ILogger<ModelWatch> logger) : BackgroundService, ITreeObserver
{
    /// <summary>Why a model is not watched whose mount hangs.</summary>
    internal const string NoAnswer = "its mount does not answer";

    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan QuietRefresh = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<ModelKey, bool> _moved = new();
    private readonly ConcurrentDictionary<ModelKey, bool> _queued = new();
    private readonly WatchRetries _retries = new(time);
    private readonly LookPace _pace = new(time);
    private readonly Wake _arm = new();
    private readonly Channel<ModelKey> _suspects = Channel.CreateUnbounded<ModelKey>(new UnboundedChannelOptions { SingleReader = true });

    // Only the arming loop's: models that were to be watched at its last turn, and how they are.
    private readonly HashSet<ModelKey> _known = [];
    private readonly Dictionary<ModelKey, Armed> _armed = [];
    private readonly Dictionary<ModelKey, TreeWalk> _walks = [];

    /// <summary>A model that is watched.</summary>
    /// <param name="Directory">Its directory.</param>
    /// <param name="IsThere">It was there; else only its coming is watched.</param>
    /// <param name="RootWasLost">When this began, the newest check had not found the directory.</param>
    private sealed record Armed(string Directory, bool IsThere, bool RootWasLost);

    public void Changed(ModelKey key) => Suspect(key);

    public void Moved(ModelKey key)
    {
        _moved[key] = true;
        Suspect(key);
        _arm.Call();
    }

    public void EventsLost() => observer.EventsLost();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        records.Changed += OnRecordChanged;
        using var trees = new WatchedTrees(kernel, this);
        try
        {
            await Task.WhenAll(ArmAsync(trees, stoppingToken), CheckAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            records.Changed -= OnRecordChanged;
        }
    }

    private void OnRecordChanged(object? sender, EventArgs change) => _arm.Call();

    /// <summary>Watches come and go with Ready models, at once; memory is compared, the disk is asked only for directories that were gone or moved.</summary>
    private async Task ArmAsync(WatchedTrees trees, CancellationToken cancellationToken)
    {
        while (true)
        {
            var wanted = records.All.Where(HasFiles).ToDictionary(record => record.Key);
            foreach (var key in _known.Where(key => !wanted.ContainsKey(key)).ToList()) Forget(trees, key);
            foreach (var (key, walk) in _walks.Where(static pair => pair.Value is { IsVoid: true, End.IsCompleted: true }).ToList()) LetGo(trees, key);
            foreach (var (key, record) in wanted)
            {
                _known.Add(key);
                await ArmAsync(trees, key, record.StoragePath, IsRootLost(record), cancellationToken);
            }

            var isQuiet = _armed.Count == _known.Count && _armed.Values.All(static armed => armed.IsThere);
            await _arm.WaitAsync(isQuiet ? QuietRefresh : Refresh, time, cancellationToken);
            // Directories that come and go all the time cost a walk now and then.
            await Task.Delay(Gather, time, cancellationToken);
        }
    }

    /// <summary>
    /// The kernel watches what lies at a path, not the path: whenever a directory was gone, by removal or because its disk was, what lies there afterwards
    /// is watched anew. Mounts may hang, this loop may not, since all models wait for it: it waits a moment for a walk, and is called when that ends later.
    /// </summary>
    private async Task ArmAsync(WatchedTrees trees, ModelKey key, string directory, bool rootIsLost, CancellationToken cancellationToken)
    {
        if (!_walks.TryGetValue(key, out var walk))
        {
            var isSame = _armed.TryGetValue(key, out var armed) && armed.Directory == directory && armed.RootWasLost == rootIsLost && !_moved.ContainsKey(key);
            if ((isSame && armed!.IsThere) || !_retries.MayTry(key)) return;
            if (armed is not null && armed.Directory != directory) trees.Drop(key);
            _moved.TryRemove(key, out _);
            _walks[key] = walk = new TreeWalk(key, directory, rootIsLost, _arm.Call);
            walk.Begin(engine, trees, onlyIfThere: isSame, cancellationToken);
            await Task.WhenAny(walk.End, Task.Delay(Patience, time, cancellationToken));
        }

        if (walk.TakeGivenUp()) Refused(key, directory, NoAnswer);
        if (!walk.End.IsCompleted || walk.IsVoid) return;
        _walks.Remove(key);
        var (isThere, problem) = await walk.End;
        if (problem is not null) Refused(key, directory, problem);
        else if (isThere is { } found) Stands(key, walk, found);
    }

    private void Stands(ModelKey key, TreeWalk walk, bool isThere)
    {
        // Its directory may be another one by now: then the next turn sees the difference.
        _armed[key] = new Armed(walk.Directory, isThere, walk.RootWasLost);
        _retries.Forget(key);
        observer.Watched(key, true);
        // What happened before it was watched is seen by this look. While the directory is gone its checks come by their own pace.
        if (isThere || !walk.RootWasLost) Suspect(key);
    }

    /// <summary>What a walk watches that outlived its model.</summary>
    private void LetGo(WatchedTrees trees, ModelKey key)
    {
        trees.Drop(key);
        _walks.Remove(key);
    }

    private void Refused(ModelKey key, string directory, string problem)
    {
        _armed.Remove(key);
        if (_retries.Failed(key)) LogNotWatched(key, directory, problem);
        observer.Watched(key, false);
    }

    private void Forget(WatchedTrees trees, ModelKey key)
    {
        trees.Drop(key);
        _known.Remove(key);
        _armed.Remove(key);
        if (_walks.TryGetValue(key, out var walk)) walk.IsVoid = true;
        _moved.TryRemove(key, out _);
        _retries.Forget(key);
        _pace.Forget(key);
        observer.Watched(key, null);
    }

    /// <summary>A vendor's model has none: what its author wrote as its path is nobody's to walk.</summary>
    private static bool HasFiles(ModelRecord record) => record is { Phase: ModelPhase.Ready or ModelPhase.Withdrawn, StoragePath.Length: > 0 }
        && StorageUri.TryParse(record.StorageUri, out var uri, out _) && uri is not StorageUri.Vendor;

    /// <summary>The newest check found nothing where the directory should be: a finding about no file.</summary>
    private static bool IsRootLost(ModelRecord record) =>
        record.Findings is [{ Path: null, Reason: nameof(FindingReason.RootUnavailable) or nameof(FindingReason.FileMissing) }, ..];

    private void Suspect(ModelKey key)
    {
        if (!_queued.TryAdd(key, true)) return;
        observer.Suspects(_queued.Count);
        _suspects.Writer.TryWrite(key);
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
            observer.Suspects(_queued.Count);
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

    [LoggerMessage(EventId = 2601, Level = LogLevel.Warning, Message = "{Model} is not watched: {Directory}: {Problem}. It is still checked on schedule, and the kernel is asked again")]
    private partial void LogNotWatched(ModelKey model, string directory, string problem);

    [LoggerMessage(EventId = 2602, Level = LogLevel.Warning, Message = "The look at {Model} after a change could not run; its scheduled check will")]
    private partial void LogFailed(Exception error, ModelKey model);
}
