using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification.Reading;

/// <summary>Something for a worker's thread to do.</summary>
internal abstract class EngineJob(string place)
{
    /// <summary>The directory it looks into: jobs of one mount hang together.</summary>
    public string Place { get; } = place;

    /// <summary>Does it; the worker is this job's alone meanwhile.</summary>
    public abstract void Run(EngineWorker worker);

    /// <summary>Answers whoever waits without having done it: cancelled, or the kernel does not come back. May be called more than once and during Run.</summary>
    public abstract void GiveUp(UnreadableCause cause, string errno);

    /// <summary>Run threw: a bug, passed on to whoever waits.</summary>
    public abstract void Fault(Exception exception);
}

/// <summary>A job with one answer.</summary>
internal sealed class CallJob<T>(string place, Func<EngineWorker, T> body, Func<UnreadableCause, string, T> gaveUp, Action<T>? discard = null) : EngineJob(place)
{
    private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

#pragma warning disable VSTHRD003 // The worker completes it and waits for no one.
    public Task<T> Task => _answer.Task;
#pragma warning restore VSTHRD003

    public override void Run(EngineWorker worker)
    {
        if (Task.IsCompleted) return;
        var answer = body(worker);
        if (!_answer.TrySetResult(answer)) discard?.Invoke(answer);
    }

    public override void GiveUp(UnreadableCause cause, string errno) => _answer.TrySetResult(gaveUp(cause, errno));

    public override void Fault(Exception exception) => _answer.TrySetException(exception);
}
