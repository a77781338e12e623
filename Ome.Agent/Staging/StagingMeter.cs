namespace Ome.Agent.Staging;

/// <summary>
/// Counts what a staging does and says so at most every <paramref name="interval"/> or when 5 % more is done (contract 4.11); a staging that stands still says
/// nothing.
/// </summary>
internal sealed class StagingMeter(IProgress<StagingProgress>? progress, TimeProvider time, TimeSpan interval)
{
    private readonly Lock _lock = new();
    private StagingPhase _phase;
    private long _total;
    private int _files;
    private long _completed;
    private int _completedFiles;
    private long _fetched;
    private long _reused;
    private int _reconnects;
    private long _saidAt;
    private long _saidFetched;
    private long _saidCompleted;
    private bool _said;

    public StagingTally Tally
    {
        get
        {
            lock (_lock) return new StagingTally(_fetched, _reused, _reconnects);
        }
    }

    public void Begin(StagingPhase phase, long totalBytes, int files)
    {
        lock (_lock)
        {
            (_phase, _total, _files) = (phase, totalBytes, files);
            Say(now: true);
        }
    }

    public void Fetched(long bytes)
    {
        lock (_lock)
        {
            _fetched += bytes;
            _completed += bytes;
            Say();
        }
    }

    public void Reused(long bytes)
    {
        lock (_lock)
        {
            _reused += bytes;
            _completed += bytes;
            Say();
        }
    }

    /// <summary>Bytes that counted as done and are not: their file starts over.</summary>
    public void Lost(long bytes)
    {
        lock (_lock) _completed -= bytes;
    }

    public void FileDone()
    {
        lock (_lock)
        {
            _completedFiles++;
            Say();
        }
    }

    public void Reconnected()
    {
        lock (_lock) _reconnects++;
    }

    private void Say(bool now = false)
    {
        if (progress is null) return;
        var stamp = time.GetTimestamp();
        var elapsed = _said ? time.GetElapsedTime(_saidAt, stamp) : TimeSpan.Zero;
        var step = Math.Max(1, _total / 20);
        var due = now || !_said || _completed - _saidCompleted >= step || elapsed >= interval;
        if (!due) return;
        var speed = elapsed > TimeSpan.Zero ? (_fetched - _saidFetched) / elapsed.TotalSeconds : 0;
        (_saidAt, _saidFetched, _saidCompleted, _said) = (stamp, _fetched, _completed, true);
        progress.Report(new StagingProgress(_phase, _total, _completed, _files, _completedFiles, speed, _fetched));
    }
}
