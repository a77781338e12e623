using System.Collections.Immutable;
using Ome.Agent.Verification.Reading.Linux;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification.Reading;

/// <summary>
/// One file's read. The worker that begins it opens the file; when only chunks are wanted, others join and take chunks from the same
/// counter. Whoever leaves last compares the stamps, closes the file and answers.
/// </summary>
internal sealed class FileReadJob : EngineJob, IDisposable
{
    private readonly ReadEngine _engine;
    private readonly ArtifactRoot _root;
    private readonly ArtifactPath _path;
    private readonly TaskCompletionSource<FileObservation> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly ImmutableSortedDictionary<int, UInt128>.Builder _chunks = ImmutableSortedDictionary.CreateBuilder<int, UInt128>();
    private readonly Lock _gate = new();
    private CancellationTokenRegistration _cancelled;
    private OpenedFile? _file;
    private string? _linkText;
    private int[]? _someChunks;
    private int _rangeCount;
    private int _nextRange;
    private int _readers = 1;
    private bool _overlap;
    private bool _disposed;
    private (int Errno, long Offset)? _failure;
    private ContentDigest? _sha256;
    private ImmutableArray<ContentDigest> _upstream = [];

    public FileReadJob(ReadEngine engine, ArtifactRoot root, ArtifactPath path, ReadRequest request, CancellationToken cancellationToken)
        : base(root.Path)
    {
        (_engine, _root, _path, Request) = (engine, root, path, request);
        _cancelled = cancellationToken.UnsafeRegister(static job => ((FileReadJob)job!).GiveUp(UnreadableCause.Cancelled, "ECANCELED"), this);
    }

#pragma warning disable VSTHRD003 // A worker completes it and waits for no one.
    public Task<FileObservation> Task => _answer.Task;
#pragma warning restore VSTHRD003

    public ReadRequest Request { get; }

    /// <summary>Set when the rest of the file is not wanted any more.</summary>
    public CancellationToken Stopped => _stop.Token;

    public OpenedFile File => _file!;

    public IoBudget Budget => _engine.Budget;

    public override void Run(EngineWorker worker)
    {
        if (_stop.IsCancellationRequested || Begin(worker.Calls) is not { } readers)
        {
            Leave(worker.Calls);
            return;
        }

        for (var i = 1; i < readers; i++) _engine.SubmitHelper(new Helper(this), Request.Purpose);
        Read(worker);
    }

    public override void GiveUp(UnreadableCause cause, string errno)
    {
        if (_answer.TrySetResult(new FileObservation.Unreadable(cause, errno))) Stop();
    }

    public override void Fault(Exception exception)
    {
        if (_answer.TrySetException(exception)) Stop();
    }

    public void Dispose()
    {
        _cancelled.Dispose();
        lock (_gate)
        {
            _disposed = true;
            _stop.Dispose();
        }
    }

    /// <summary>The next range that nobody has taken: a chunk, or the whole file; false when there is none.</summary>
    public bool TakeRange(out long offset, out long length)
    {
        (offset, length) = (0, File.Size);
        if (_stop.IsCancellationRequested) return false;
        var taken = Interlocked.Increment(ref _nextRange) - 1;
        if (taken >= _rangeCount) return false;
        if (Request.Whole != WholeDigests.None) return true;
        offset = (_someChunks?[taken] ?? taken) * Request.ChunkBytes;
        length = Math.Min(Request.ChunkBytes, File.Size - offset);
        return true;
    }

    public void Count(int bytes) => _engine.CountBytes(bytes);

    public void AddChunk(int index, UInt128 value)
    {
        lock (_gate) _chunks[index] = value;
    }

    public void AddWhole(ContentDigest? sha256, ImmutableArray<ContentDigest> upstream) => (_sha256, _upstream) = (sha256, upstream);

    /// <summary>A read failed; the first failure in the file counts.</summary>
    public void Fail(int errno, long offset)
    {
        lock (_gate)
        {
            if (_failure is null || offset < _failure.Value.Offset) _failure = (errno, offset);
        }

        Stop();
    }

    /// <summary>Opens the file and decides how many may read it; null when there is nothing to read.</summary>
    private int? Begin(ISystemCalls calls)
    {
        var end = PathResolver.ResolveBelow(calls, _root, _path.Value);
        if (FileLook.Refusal(calls, _root, end) is { } refusal)
        {
            if (end.Kind == ResolutionKind.Found) calls.Close(end.Descriptor);
            _answer.TrySetResult(refusal);
            return null;
        }

        _linkText = end.LinkText;
        _file = OpenedFile.Open(calls, end.Descriptor, end.Stat, Request.FromMedium, _engine.Options.SmallFile, out var errno);
        calls.Close(end.Descriptor);
        if (_file is null)
        {
            _answer.TrySetResult(FileLook.Unreadable(calls, _root, errno, null));
            return null;
        }

        PlanRanges();
        // Chunks are read by several workers, so that the disk has a request while one of them hashes: cheaper than handing blocks over.
        _overlap = Request.Whole != WholeDigests.None && File.Size >= _engine.Options.SmallFile && (!File.IsResident || _engine.HasSpareCore);
        return Math.Min(_rangeCount, _engine.Workers);
    }

    private void PlanRanges()
    {
        var count = ArtifactManifest.ChunkCount(File.Size, Request.ChunkBytes);
        if (Request.Whole != WholeDigests.None) _rangeCount = 1;
        else if (Request.AllChunks) _rangeCount = count;
        else _rangeCount = (_someChunks = [.. Request.Chunks.Where(chunk => chunk < count)]).Length;
    }

    private void Read(EngineWorker worker)
    {
        try
        {
            var lane = new ReadLane(this, worker.Pipe.Digests);
            if (_overlap) worker.Pipe.RunOverlapped(lane);
            else worker.Pipe.RunInline(lane, worker.Calls, File.IsResident);
        }
        catch (Exception exception)
        {
            // Before leaving: what was read so far must not be taken for an answer.
            Fault(exception);
        }
        finally
        {
            Leave(worker.Calls);
        }
    }

    private void Stop()
    {
        lock (_gate)
        {
            if (!_disposed) _stop.Cancel();
        }
    }

    private void Join(EngineWorker worker)
    {
        lock (_gate)
        {
            if (_readers == 0 || Volatile.Read(ref _nextRange) >= _rangeCount || _stop.IsCancellationRequested) return;
            _readers++;
        }

        Read(worker);
    }

    private void Leave(ISystemCalls calls)
    {
        lock (_gate)
        {
            if (--_readers > 0) return;
        }

        if (_file is not null)
        {
            if (!_answer.Task.IsCompleted) _answer.TrySetResult(Conclude(calls, File));
            File.Close(calls);
        }

        Dispose();
    }

    private FileObservation Conclude(ISystemCalls calls, OpenedFile file)
    {
        var result = file.StatNow(calls, out var after);
        if (result >= 0 && !after.SameContent(file.Stat)) return new FileObservation.ChangedMeanwhile();
        if (_failure is { } failure) return FileLook.Unreadable(calls, _root, failure.Errno, failure.Offset);
        if (result < 0) return FileLook.Unreadable(calls, _root, -result, null);
        return new FileObservation.Present(after.Stamp, _linkText, _sha256, _upstream, _chunks.ToImmutable(), file.Route);
    }

    /// <summary>An invitation to read along; worthless when all chunks are taken by the time a worker accepts it.</summary>
    private sealed class Helper(FileReadJob job) : EngineJob(job.Place)
    {
        public override void Run(EngineWorker worker) => job.Join(worker);

        public override void GiveUp(UnreadableCause cause, string errno) => job.GiveUp(cause, errno);

        public override void Fault(Exception exception) => job.Fault(exception);
    }
}
