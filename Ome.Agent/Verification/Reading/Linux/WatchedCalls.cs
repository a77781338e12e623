namespace Ome.Agent.Verification.Reading.Linux;

/// <summary>Notes since when the calling thread has been inside the kernel, for the watchdog. One instance per thread.</summary>
internal sealed unsafe class WatchedCalls(ISystemCalls calls, TimeProvider time) : ISystemCalls
{
    private long _since;

    /// <summary>How long the call under way has lasted; zero when none is.</summary>
    public TimeSpan InCall
    {
        get
        {
            var since = Volatile.Read(ref _since);
            return since == 0 ? TimeSpan.Zero : time.GetElapsedTime(since);
        }
    }

    public int OpenDirectory(string path)
    {
        Enter();
        try { return calls.OpenDirectory(path); }
        finally { Leave(); }
    }

    public int StatPath(string path, out FileStat stat)
    {
        Enter();
        try { return calls.StatPath(path, out stat); }
        finally { Leave(); }
    }

    public int OpenHandle(int directory, string path)
    {
        Enter();
        try { return calls.OpenHandle(directory, path); }
        finally { Leave(); }
    }

    public int Reopen(int handle, bool direct)
    {
        Enter();
        try { return calls.Reopen(handle, direct); }
        finally { Leave(); }
    }

    public int ReopenDirectory(int handle)
    {
        Enter();
        try { return calls.ReopenDirectory(handle); }
        finally { Leave(); }
    }

    public int Stat(int descriptor, out FileStat stat)
    {
        Enter();
        try { return calls.Stat(descriptor, out stat); }
        finally { Leave(); }
    }

    public int StatAt(int directory, ReadOnlySpan<byte> name, out FileStat stat)
    {
        Enter();
        try { return calls.StatAt(directory, name, out stat); }
        finally { Leave(); }
    }

    public int ReadLink(int handle, Span<byte> text)
    {
        Enter();
        try { return calls.ReadLink(handle, text); }
        finally { Leave(); }
    }

    public nint Read(int descriptor, byte* buffer, nint length, long offset, ReadMode mode)
    {
        Enter();
        try { return calls.Read(descriptor, buffer, length, offset, mode); }
        finally { Leave(); }
    }

    public long CachedBytes(int descriptor, long offset, long length)
    {
        Enter();
        try { return calls.CachedBytes(descriptor, offset, length); }
        finally { Leave(); }
    }

    public nint ReadDirectory(int descriptor, Span<byte> entries)
    {
        Enter();
        try { return calls.ReadDirectory(descriptor, entries); }
        finally { Leave(); }
    }

    public void Close(int descriptor)
    {
        // Closing can hang as well: NFS flushes then.
        Enter();
        try { calls.Close(descriptor); }
        finally { Leave(); }
    }

    /// <summary>A call begins.</summary>
    internal void Enter() => Volatile.Write(ref _since, Math.Max(1, time.GetTimestamp()));

    /// <summary>It has ended.</summary>
    internal void Leave() => Volatile.Write(ref _since, 0);
}
