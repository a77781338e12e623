using System.Runtime.InteropServices;
using Ome.Agent.Verification.Reading.Linux;

namespace Ome.Agent.Watching;

/// <summary>An inotify instance of the running kernel. A process has few: <c>fs.inotify.max_user_instances</c> is 128 for all processes of a user.</summary>
internal sealed unsafe partial class Inotify : IKernelEvents
{
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const short Readable = 1;

    private readonly int _events;
    private readonly int _stop;

    private Inotify(int events, int stop) => (_events, _stop) = (events, stop);

    /// <summary>A new one.</summary>
    /// <exception cref="IOException">The kernel gives no more of them; says which limit to raise.</exception>
    public static Inotify Open()
    {
        var events = Result(inotify_init1(CloseOnExec | NonBlocking));
        if (events == -Errno.EMFILE) throw new IOException("the limit of inotify instances (fs.inotify.max_user_instances), or of open files, is reached");
        if (events < 0) throw new IOException($"the kernel gives no inotify instance ({Errno.NameOf(-events)})");
        var stop = Result(eventfd(0, CloseOnExec | NonBlocking));
        if (stop >= 0) return new Inotify(events, stop);
        _ = close(events);
        throw new IOException($"the kernel gives no eventfd ({Errno.NameOf(-stop)})");
    }

    public int Add(string directory, uint mask) => Result(inotify_add_watch(_events, directory, mask));

    public void Remove(int watch) => _ = inotify_rm_watch(_events, watch);

    public int Read(Span<byte> events)
    {
        var waiting = stackalloc Waiting[] { new Waiting { Descriptor = _events, Wanted = Readable }, new Waiting { Descriptor = _stop, Wanted = Readable } };
        while (true)
        {
            var ready = Result(poll(waiting, 2, -1));
            if (ready < 0 && ready != -Errno.EINTR) return ready;
            if (ready < 0) continue;
            if (waiting[1].Answer != 0) return 0;
            fixed (byte* buffer = events)
            {
                var length = Result((int)read(_events, buffer, events.Length));
                if (length is not (-Errno.EINTR or -Errno.EAGAIN)) return length;
            }
        }
    }

    public void Stop()
    {
        ulong one = 1;
        _ = write(_stop, &one, sizeof(ulong));
    }

    /// <summary>After the last <see cref="Read"/> has returned.</summary>
    public void Dispose()
    {
        _ = close(_events);
        _ = close(_stop);
    }

    private static int Result(int answer) => answer >= 0 ? answer : -Marshal.GetLastPInvokeError();

    /// <summary><c>struct pollfd</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Waiting
    {
        public int Descriptor;
        public short Wanted;
        public short Answer;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_init1(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int inotify_add_watch(int descriptor, string path, uint mask);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_rm_watch(int descriptor, int watch);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint value, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(Waiting* descriptors, nuint count, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int descriptor, byte* buffer, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int descriptor, void* buffer, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);
}
