using System.Collections.Concurrent;
using Ome.Agent.Verification.Reading.Linux;

namespace Ome.Tests.Agent.Reading;

/// <summary>Sites of the seam below the reading engine.</summary>
internal enum CallSite
{
    OpenDirectory,
    StatPath,
    OpenHandle,
    Reopen,
    ReopenDirectory,
    Stat,
    StatAt,
    ReadLink,
    Read,
    CachedBytes,
    ReadDirectory,
    Close,
}

/// <summary>One call: its site, how many calls that site has had before, for a read its range and way, and for a path that path.</summary>
internal readonly record struct Call(CallSite Site, int Nth, long Offset, long Length, ReadMode Mode, string? Path = null);

/// <summary>The real kernel, except where a test says otherwise; keeps a list of everything that was opened.</summary>
internal sealed unsafe class FaultyCalls(ISystemCalls? inner = null) : ISystemCalls
{
    private readonly ISystemCalls _inner = inner ?? LinuxCalls.Instance;
    private readonly ConcurrentDictionary<CallSite, int> _counts = new();

    /// <summary>A negative number is answered instead of calling; null calls.</summary>
    public Func<Call, int?> Fault { get; set; } = _ => null;

    /// <summary>Runs before a call, on its thread: to hold it, or to change the world.</summary>
    public Action<Call> Before { get; set; } = _ => { };

    /// <summary>Longest answer of one read.</summary>
    public int MaxRead { get; set; } = int.MaxValue;

    /// <summary>Real paths of what was opened: handles and readers.</summary>
    public ConcurrentQueue<string> Opened { get; } = new();

    /// <summary>Descriptors opened and not yet closed.</summary>
    public ConcurrentDictionary<int, string> Open { get; } = new();

    public int CountOf(CallSite site) => _counts.GetValueOrDefault(site);

    public int OpenDirectory(string path) => Intercept(CallSite.OpenDirectory) ?? _inner.OpenDirectory(path);

    public int StatPath(string path, out FileStat stat)
    {
        stat = default;
        return Intercept(CallSite.StatPath, path: path) ?? _inner.StatPath(path, out stat);
    }

    public int OpenHandle(int directory, string path) => Track(Intercept(CallSite.OpenHandle) ?? _inner.OpenHandle(directory, path));

    public int Reopen(int handle, bool direct) => Track(Intercept(CallSite.Reopen, mode: direct ? ReadMode.Direct : ReadMode.Cached) ?? _inner.Reopen(handle, direct));

    public int ReopenDirectory(int handle) => Track(Intercept(CallSite.ReopenDirectory) ?? _inner.ReopenDirectory(handle));

    public int Stat(int descriptor, out FileStat stat)
    {
        stat = default;
        return Intercept(CallSite.Stat) ?? _inner.Stat(descriptor, out stat);
    }

    public int StatAt(int directory, ReadOnlySpan<byte> name, out FileStat stat)
    {
        stat = default;
        return Intercept(CallSite.StatAt) ?? _inner.StatAt(directory, name, out stat);
    }

    public int ReadLink(int handle, Span<byte> text) => Intercept(CallSite.ReadLink) ?? _inner.ReadLink(handle, text);

    public nint Read(int descriptor, byte* buffer, nint length, long offset, ReadMode mode) =>
        Intercept(CallSite.Read, offset, length, mode) ?? _inner.Read(descriptor, buffer, Math.Min(length, MaxRead), offset, mode);

    public long CachedBytes(int descriptor, long offset, long length) => Intercept(CallSite.CachedBytes) ?? _inner.CachedBytes(descriptor, offset, length);

    public nint ReadDirectory(int descriptor, Span<byte> entries) => Intercept(CallSite.ReadDirectory) ?? _inner.ReadDirectory(descriptor, entries);

    public void Close(int descriptor)
    {
        _ = Intercept(CallSite.Close);
        Open.TryRemove(descriptor, out _);
        _inner.Close(descriptor);
    }

    private int? Intercept(CallSite site, long offset = 0, long length = 0, ReadMode mode = ReadMode.Cached, string? path = null)
    {
        var call = new Call(site, _counts.AddOrUpdate(site, 1, (_, count) => count + 1) - 1, offset, length, mode, path);
        Before(call);
        return Fault(call);
    }

    private int Track(int descriptor)
    {
        if (descriptor < 0) return descriptor;
        var path = new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget ?? "?";
        Opened.Enqueue(path);
        Open[descriptor] = path;
        return descriptor;
    }
}
