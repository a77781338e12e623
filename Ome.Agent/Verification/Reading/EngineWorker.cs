using Ome.Agent.Verification.Reading.Linux;

namespace Ome.Agent.Verification.Reading;

/// <summary>A thread of a pool, and what it owns. Everything here is touched by that thread only, except where said.</summary>
internal sealed class EngineWorker : IDisposable
{
    private readonly WatchedCalls _calls;
    private readonly Func<BlockPipe> _newPipe;
    private BlockPipe? _pipe;
    private volatile EngineJob? _job;
    private volatile bool _abandoned;

    public EngineWorker(ISystemCalls calls, TimeProvider time, bool background)
    {
        _calls = new WatchedCalls(calls, time);
        _newPipe = () => new BlockPipe(new WatchedCalls(calls, time), background);
    }

    /// <summary>The kernel, for this worker's thread.</summary>
    public ISystemCalls Calls => _calls;

    /// <summary>Buffers, digests and the read-ahead thread; made at first use.</summary>
    public BlockPipe Pipe => _pipe ??= _newPipe();

    /// <summary>What it works on. Read by the watchdog.</summary>
    public EngineJob? Job
    {
        get => _job;
        set => _job = value;
    }

    /// <summary>True once the watchdog gave it up: nobody waits for it and it ends when the kernel lets it go. Any thread.</summary>
    public bool Abandoned
    {
        get => _abandoned;
        set => _abandoned = value;
    }

    /// <summary>The longest call under way, its own or its reader's. Any thread.</summary>
    public TimeSpan InCall
    {
        get
        {
            var own = _calls.InCall;
            var readers = Volatile.Read(ref _pipe)?.InCall ?? TimeSpan.Zero;
            return own > readers ? own : readers;
        }
    }

    /// <summary>A call that is none of <see cref="Calls"/> begins: the watchdog counts from now.</summary>
    public void EnterOther() => _calls.Enter();

    /// <summary>The last of them has ended.</summary>
    public void LeaveOther() => _calls.Leave();

    public void Dispose() => _pipe?.Dispose();
}
