using System.Collections;
using Ome.Agent.Verification.Reading.Linux;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification.Reading;

/// <summary>
/// A regular file open for reading, and which way each of its ranges is read. Residency is sampled once, before the first byte: our own
/// cached reads start read-ahead, which would make later ranges look as if they had been cached before us. Shared by all who read the file.
/// </summary>
internal sealed unsafe class OpenedFile
{
    private const int Page = 4096;
    private const int MaxInterruptions = 16;

    private readonly int _cached;
    private readonly bool _dropBehind;
    private readonly Residency _residency;
    private volatile int _direct;
    private volatile bool _dropRefused;
    private long _bytesCached;
    private long _bytesDirect;

    private OpenedFile(int cached, int direct, FileStat stat, Residency residency, bool dropBehind) =>
        (_cached, _direct, Stat, _residency, _dropBehind) = (cached, direct, stat, residency, dropBehind);

    public FileStat Stat { get; }

    public long Size => Stat.Stamp.Size;

    /// <summary>True when the page cache held all of it.</summary>
    public bool IsResident => _residency.Everything;

    /// <summary>How the bytes so far were read; null when none were.</summary>
    public ReadRoute? Route => (Interlocked.Read(ref _bytesCached), Interlocked.Read(ref _bytesDirect)) switch
    {
        (0, 0) => null,
        (_, 0) => ReadRoute.Buffered,
        (0, _) => ReadRoute.Direct,
        _ => ReadRoute.Mixed,
    };

    /// <summary>Opens the file that the handle is on; null and an errno when refused. The handle stays the caller's.</summary>
    public static OpenedFile? Open(ISystemCalls calls, int handle, in FileStat stat, bool fromMedium, long smallFile, out int errno)
    {
        errno = 0;
        var cached = calls.Reopen(handle, direct: false);
        if (cached < 0)
        {
            errno = -cached;
            return null;
        }

        var small = stat.Stamp.Size < smallFile;
        var residency = fromMedium ? Residency.None : small ? Residency.All : Residency.Sample(calls, cached, stat.Stamp.Size);
        var direct = residency.Everything ? -Errno.EINVAL : calls.Reopen(handle, direct: true);
        if (direct >= 0 || direct == -Errno.EINVAL) return new OpenedFile(cached, direct, stat, residency, small && !fromMedium);
        errno = -direct;
        calls.Close(cached);
        return null;
    }

    public int StatNow(ISystemCalls calls, out FileStat stat) => calls.Stat(_cached, out stat);

    public void Close(ISystemCalls calls)
    {
        calls.Close(_cached);
        if (_direct >= 0) calls.Close(_direct);
    }

    /// <summary>Fills the buffer from the offset (a multiple of 4 KiB); fewer bytes at the end of the file, <c>-errno</c> and where on failure.</summary>
    public int Read(ISystemCalls calls, byte* buffer, int length, long offset, out long failedAt)
    {
        var mode = ModeFor(offset);
        var (done, step, interruptions) = (0, length, 0);
        while (done < length)
        {
            var want = Math.Min(step, length - done);
            var ask = mode == ReadMode.Direct ? (want + Page - 1) & -Page : want;
            var got = (int)calls.Read(mode == ReadMode.Direct ? _direct : _cached, buffer + done, ask, offset + done, mode);
            if (got == 0) break;
            if (got > 0)
            {
                done += Keep(ref mode, Math.Min(got, want), done, length);
            }
            else if (-got is Errno.EINTR or Errno.EAGAIN && ++interruptions <= MaxInterruptions)
            {
                continue;
            }
            else if (Fallback(ref mode, -got))
            {
                continue;
            }
            else if (Errno.CauseOf(-got) == UnreadableCause.Medium && step > Page)
            {
                // Again in smaller steps: a passing error passes, a bad page is told from its good neighbours.
                step = Math.Max(Page, (step / 8) & -Page);
            }
            else
            {
                failedAt = offset + done;
                return got;
            }
        }

        failedAt = -1;
        Interlocked.Add(ref mode == ReadMode.Direct ? ref _bytesDirect : ref _bytesCached, done);
        return done;
    }

    private ReadMode ModeFor(long offset)
    {
        if (!_residency.Holds(offset)) return _direct >= 0 ? ReadMode.Direct : NotDirect;
        return _dropBehind ? NotDirect : ReadMode.Cached;
    }

    private ReadMode NotDirect => _dropRefused ? ReadMode.Cached : ReadMode.DropBehind;

    /// <summary>A direct read that stopped at an odd place cannot go on from there: it goes on from the page before, or through the cache.</summary>
    private static int Keep(ref ReadMode mode, int got, int done, int length)
    {
        if (mode != ReadMode.Direct || done + got == length || got % Page == 0) return got;
        if (got < Page) mode = ReadMode.Cached;
        return got < Page ? got : got & -Page;
    }

    /// <summary>O_DIRECT refused → drop-behind → plain cached reads; remembered for the rest of the file.</summary>
    private bool Fallback(ref ReadMode mode, int errno)
    {
        switch (mode)
        {
            case ReadMode.Direct when errno is Errno.EINVAL or Errno.EOPNOTSUPP:
                mode = NotDirect;
                return true;
            case ReadMode.DropBehind when errno is Errno.EOPNOTSUPP or Errno.EINVAL or Errno.ENOSYS:
                _dropRefused = true;
                mode = ReadMode.Cached;
                return true;
            default:
                return false;
        }
    }

    /// <summary>Which 2 MiB ranges the page cache held before we read.</summary>
    private sealed record Residency(bool Everything, BitArray? Ranges)
    {
        public static readonly Residency None = new(false, null);
        public static readonly Residency All = new(true, null);

        public bool Holds(long offset) => Everything || (Ranges is not null && Ranges[(int)(offset / AlignedBuffers.Size)]);

        public static Residency Sample(ISystemCalls calls, int descriptor, long size)
        {
            // No cachestat (before Linux 6.5) or none cached: around the cache, which never disturbs it.
            var total = calls.CachedBytes(descriptor, 0, size);
            if (total <= 0) return None;
            if (total >= size) return All;
            var ranges = new BitArray(checked((int)((size + AlignedBuffers.Size - 1) / AlignedBuffers.Size)));
            for (var i = 0; i < ranges.Length; i++)
            {
                var offset = (long)i * AlignedBuffers.Size;
                var length = Math.Min(AlignedBuffers.Size, size - offset);
                ranges[i] = calls.CachedBytes(descriptor, offset, length) >= length;
            }

            return new Residency(false, ranges);
        }
    }
}
