using Microsoft.Extensions.Logging.Abstractions;
using Ome.Agent.Verification.Reading.Linux;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification.Reading;

/// <summary>
/// Reads files for the whole process: one instance, one budget, a bounded number of dedicated threads. Content is read by one pool,
/// short calls (stat, open, enumerate) go to another, so that they never wait behind gigabytes.
/// </summary>
public sealed class ReadEngine : IDisposable
{
    private const int CallThreads = 4;
    private const int UrgentHelpers = 0;
    private const int Urgent = 1;
    private const int RoutineHelpers = 2;
    private const int Routine = 3;

    private readonly WorkerPool _readers;
    private readonly WorkerPool _callers;
    private readonly Lazy<Calibration> _calibration;
    private long _bytesRead;

    /// <summary>Starts no thread yet.</summary>
    /// <param name="options">Checked by their attributes where they are bound.</param>
    /// <param name="budget">Shared with whatever else reads; stays the caller's.</param>
    /// <param name="time">Clock of the watchdog.</param>
    /// <param name="logger">Null = silent.</param>
    public ReadEngine(ReadEngineOptions options, IoBudget budget, TimeProvider time, ILogger<ReadEngine>? logger = null)
        : this(options, budget, time, LinuxCalls.Instance, logger)
    {
    }

    internal ReadEngine(ReadEngineOptions options, IoBudget budget, TimeProvider time, ISystemCalls calls, ILogger<ReadEngine>? logger = null)
    {
        ILogger log = logger ?? NullLogger<ReadEngine>.Instance;
        (Options, Budget) = (options, budget);
        _calibration = new Lazy<Calibration>(() => Calibration.Measure(log));
        _readers = new WorkerPool("ome-read", () => Workers, options, time, calls, log);
        _callers = new WorkerPool("ome-stat", () => CallThreads, options, time, calls, log);
    }

    /// <summary>What the cores can do; the first look measures it and says so in the log.</summary>
    public Calibration Calibration => _calibration.Value;

    /// <summary>Files or chunks read at once, at most. Give it this many reads at a time to use it fully.</summary>
    public int Workers => Options.Workers > 0 ? Options.Workers : Calibration.WorkersUnmeasured ?? Calibration.Workers;

    /// <summary>Bytes of content read since the start.</summary>
    public long BytesRead => Interlocked.Read(ref _bytesRead);

    /// <summary>Threads that hang in the kernel on a mount that does not answer.</summary>
    public int Abandoned => _readers.Abandoned + _callers.Abandoned;

    /// <summary>Threads at work or waiting for work.</summary>
    public int Threads => _readers.Live + _callers.Live;

    public IoBudget Budget { get; }

    internal ReadEngineOptions Options { get; }

    /// <summary>True when a second thread for one file would take no core from another read.</summary>
    internal bool HasSpareCore => _readers.Load < Environment.ProcessorCount;

    /// <summary>As <see cref="ArtifactRoot.Open(string, string?)"/>, but a hung mount delays the caller by the call timeout only.</summary>
    public Task<ArtifactRootResult> OpenRootAsync(string path, string? boundary, CancellationToken cancellationToken) =>
        CallAsync(
            path,
            worker => ArtifactRoot.Open(path, boundary, worker.Calls),
            (cause, errno) => new ArtifactRootResult.Refused(cause, errno),
            cancellationToken,
            result => (result as ArtifactRootResult.Opened)?.Root.Dispose());

    /// <summary>Ends all reads as cancelled. Threads that hang in the kernel are left behind.</summary>
    public void Dispose()
    {
        _readers.Dispose();
        _callers.Dispose();
    }

    internal async Task<FileObservation> ReadAsync(ArtifactRoot root, ArtifactPath path, ReadRequest request, CancellationToken cancellationToken)
    {
        var job = new FileReadJob(this, root, path, request, cancellationToken);
        _readers.Submit(job, request.Purpose == ReadPurpose.Routine ? Routine : Urgent);
        return await job.Task;
    }

    internal async Task<T> CallAsync<T>(
        string place, Func<EngineWorker, T> body, Func<UnreadableCause, string, T> gaveUp, CancellationToken cancellationToken, Action<T>? discard = null)
    {
        var job = new CallJob<T>(place, body, gaveUp, discard);
        await using var cancelled = cancellationToken.UnsafeRegister(static job => ((EngineJob)job!).GiveUp(UnreadableCause.Cancelled, "ECANCELED"), job);
        _callers.Submit(job, Urgent);
        return await job.Task;
    }

    internal void SubmitHelper(EngineJob helper, ReadPurpose purpose) =>
        _readers.Submit(helper, purpose == ReadPurpose.Routine ? RoutineHelpers : UrgentHelpers);

    internal void CountBytes(int bytes) => Interlocked.Add(ref _bytesRead, bytes);
}
