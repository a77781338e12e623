using System.Buffers.Binary;
using Ome.Agent.Watching;

namespace Ome.Tests.Agent.Watching;

/// <summary>The kernel's events, with its refusals and losses on demand.</summary>
internal sealed class TroubledEvents : IKernelEvents
{
    private const int EventLength = 16;

    private readonly Inotify _kernel = Inotify.Open();
    private int _lose;
    private int _disposed;

    /// <summary>When set, new watches are answered with this error number.</summary>
    public int? Refusal { get; set; }

    /// <summary>Runs before a directory is watched, on the caller's thread: to hold it.</summary>
    public Action<string> Before { get; set; } = static _ => { };

    /// <summary>Runs when a directory is watched and nobody was told yet.</summary>
    public Action<string> After { get; set; } = static _ => { };

    /// <summary>What comes next is lost, and the kernel says that something was.</summary>
    public void LoseNext() => Volatile.Write(ref _lose, 1);

    public int Add(string directory, uint mask)
    {
        Before(directory);
        if (Refusal is { } errno) return -errno;
        var watch = _kernel.Add(directory, mask);
        After(directory);
        return watch;
    }

    public void Remove(int watch) => _kernel.Remove(watch);

    public int Read(Span<byte> events)
    {
        var length = _kernel.Read(events);
        if (length <= 0 || Interlocked.Exchange(ref _lose, 0) == 0) return length;
        events[..EventLength].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(events, -1);
        BinaryPrimitives.WriteUInt32LittleEndian(events[4..], InotifyMask.Overflow);
        return EventLength;
    }

    public void Stop() => _kernel.Stop();

    public void Dispose()
    {
        // Whoever watches with it disposes it too.
        if (Interlocked.Exchange(ref _disposed, 1) == 0) _kernel.Dispose();
    }
}
