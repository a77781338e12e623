using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Watching;

/// <summary>What became of a walk.</summary>
/// <param name="IsThere">Whether the directory is; null when it is still gone, or nothing could be watched.</param>
/// <param name="Problem">Why nothing is watched; null when it is.</param>
internal readonly record struct TreeWalkEnd(bool? IsThere, string? Problem);

/// <summary>
/// One try to watch a model's tree, on a thread of the engine: each call of it may hang in the model's mount, for ever, and nobody else waits. A walk that the engine gave up is still
/// under way until its thread is back, and the model must not be walked beside it.
/// </summary>
/// <param name="key">The model.</param>
/// <param name="directory">Its directory.</param>
/// <param name="rootWasLost">The newest check had not found the directory.</param>
/// <param name="told">Called when it ended or was given up; must not block.</param>
internal sealed class TreeWalk(ModelKey key, string directory, bool rootWasLost, Action told)
{
    private const int Waiting = 0;
    private const int Begun = 1;
    private const int NeverBegins = 2;

    private readonly TaskCompletionSource<TreeWalkEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _state;
    private int _givenUp;

    public string Directory => directory;

    public bool RootWasLost => rootWasLost;

    /// <summary>Its model was forgotten meanwhile: what it watches is nobody's.</summary>
    public bool IsVoid { get; set; }

#pragma warning disable VSTHRD003 // A thread of the engine completes it and waits for no one.
    public Task<TreeWalkEnd> End => _end.Task;
#pragma warning restore VSTHRD003

    /// <summary>True once, when the mount has not answered within the engine's call timeout.</summary>
    public bool TakeGivenUp() => Interlocked.CompareExchange(ref _givenUp, 2, 1) == 1;

    /// <summary>Once.</summary>
    /// <param name="engine">Whose threads may hang.</param>
    /// <param name="trees">What watches.</param>
    /// <param name="onlyIfThere">A directory that is still gone is watched for its coming already.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public void Begin(ReadEngine engine, WatchedTrees trees, bool onlyIfThere, CancellationToken cancellationToken) =>
        _ = engine.CallAsync(
            directory,
            worker =>
            {
                Run(worker, trees, onlyIfThere);
                return true;
            },
            (_, _) =>
            {
                GiveUp();
                return false;
            },
            cancellationToken);

    private void Run(EngineWorker worker, WatchedTrees trees, bool onlyIfThere)
    {
        if (Interlocked.CompareExchange(ref _state, Begun, Waiting) != Waiting) return;
        try
        {
            worker.EnterOther();
            _end.TrySetResult(onlyIfThere && !System.IO.Directory.Exists(directory) ? default : new TreeWalkEnd(trees.Watch(key, directory, worker.EnterOther), null));
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            _end.TrySetResult(new TreeWalkEnd(null, refused.Message));
        }
        catch (Exception error)
        {
            _end.TrySetException(error);
        }
        finally
        {
            worker.LeaveOther();
            told();
        }
    }

    private void GiveUp()
    {
        if (Interlocked.CompareExchange(ref _state, NeverBegins, Waiting) != Begun) _end.TrySetResult(new TreeWalkEnd(null, ModelWatch.NoAnswer));
        else Interlocked.CompareExchange(ref _givenUp, 1, 0);
        told();
    }
}
