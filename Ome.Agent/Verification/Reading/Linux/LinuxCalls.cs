using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using Ome.Agent.Files;

namespace Ome.Agent.Verification.Reading.Linux;

/// <summary>The running kernel, through libc.</summary>
[SuppressMessage("Interoperability", "CA5392", Justification = "libc is already loaded by the runtime")]
internal sealed unsafe partial class LinuxCalls : ISystemCalls
{
    /// <summary>Set once openat2 was refused (a kernel before 5.6, or a seccomp profile that does not know it).</summary>
    private volatile bool _withoutOpenAt2;

    private LinuxCalls(bool withoutOpenAt2 = false) => _withoutOpenAt2 = withoutOpenAt2;

    public static LinuxCalls Instance { get; } = new();

    /// <summary>Walks component by component, as on a kernel without openat2.</summary>
    public static LinuxCalls WithoutOpenAt2 { get; } = new(withoutOpenAt2: true);

    public int OpenDirectory(string path) => Result(openat(Abi.AtFdCwd, path, Abi.PathOnly | Abi.OpenDirectory | Abi.CloseOnExec, 0));

    public int StatPath(string path, out FileStat stat)
    {
        Statx raw;
        var result = Result(statx(Abi.AtFdCwd, path, 0, Statx.BasicStats, &raw));
        stat = Convert(result, raw);
        return result;
    }

    public int OpenHandle(int directory, string path)
    {
        if (_withoutOpenAt2) return WalkTo(directory, path);
        var how = new Abi.OpenHow
        {
            Flags = (ulong)(Abi.PathOnly | Abi.OpenNoFollow | Abi.CloseOnExec),
            Resolve = Abi.ResolveBeneath | Abi.ResolveNoMagicLinks | Abi.ResolveNoSymlinks,
        };
        var text = Encoding.UTF8.GetBytes(path + '\0');
        fixed (byte* name = text)
        {
            // EAGAIN: something was renamed while the kernel resolved; it asks to be asked again.
            var result = -Errno.EAGAIN;
            for (var attempt = 0; attempt < 16 && result == -Errno.EAGAIN; attempt++)
                result = Result((int)syscall(Abi.OpenAt2, directory, (nint)name, (nint)(&how), sizeof(Abi.OpenHow), 0, 0));
            if (result is not (-Errno.ENOSYS or -Errno.EPERM)) return result;
        }

        // EPERM from openat2 with O_PATH is a seccomp profile that does not know the call, never the file.
        _withoutOpenAt2 = true;
        return WalkTo(directory, path);
    }

    public int Reopen(int handle, bool direct)
    {
        var flags = Abi.CloseOnExec | (direct ? Abi.OpenDirect : 0);
        var name = SelfDescriptor(handle);

        // Reading must not write an access time; only the owner or root may ask for that.
        var result = Result(openat(Abi.AtFdCwd, name, flags | Abi.NoAccessTime, 0));
        return result == -Errno.EPERM ? Result(openat(Abi.AtFdCwd, name, flags, 0)) : result;
    }

    public int ReopenDirectory(int handle) => Result(openat(Abi.AtFdCwd, SelfDescriptor(handle), Abi.OpenDirectory | Abi.CloseOnExec, 0));

    public int Stat(int descriptor, out FileStat stat)
    {
        Statx raw;
        var result = Result(statx(descriptor, "", Abi.AtEmptyPath, Statx.BasicStats, &raw));
        stat = Convert(result, raw);
        return result;
    }

    public int StatAt(int directory, ReadOnlySpan<byte> name, out FileStat stat)
    {
        Statx raw;
        fixed (byte* text = name)
        {
            var result = Result(statx(directory, text, Abi.AtSymlinkNoFollow, Statx.BasicStats, &raw));
            stat = Convert(result, raw);
            return result;
        }
    }

    public int ReadLink(int handle, Span<byte> text)
    {
        fixed (byte* buffer = text) return (int)Result(readlinkat(handle, "", buffer, text.Length));
    }

    public nint Read(int descriptor, byte* buffer, nint length, long offset, ReadMode mode)
    {
        if (mode != ReadMode.DropBehind) return Result(pread(descriptor, buffer, length, offset));
        var vector = new Abi.IoVector { Base = buffer, Length = length };
        return Result(syscall(Abi.PreadV2, descriptor, (nint)(&vector), 1, (nint)offset, 0, Abi.ReadDontCache));
    }

    public long CachedBytes(int descriptor, long offset, long length)
    {
        var query = new Abi.CacheQuery { Offset = (ulong)offset, Length = (ulong)length };
        var result = Result(syscall(Abi.CacheStat, descriptor, (nint)(&query), (nint)(&query.Cached), 0, 0, 0));
        return result < 0 ? result : (long)query.Cached * Environment.SystemPageSize;
    }

    public nint ReadDirectory(int descriptor, Span<byte> entries)
    {
        fixed (byte* buffer = entries) return Result(syscall(Abi.GetDents64, descriptor, (nint)buffer, entries.Length, 0, 0, 0));
    }

    public void Close(int descriptor) => _ = close(descriptor);

    private static string SelfDescriptor(int descriptor) => $"/proc/self/fd/{descriptor}";

    /// <summary>openat2's promise without openat2: each name is opened in its parent's handle and no link is followed.</summary>
    private static int WalkTo(int directory, string path)
    {
        var current = directory;
        var names = path.Split('/');
        for (var i = 0; i < names.Length; i++)
        {
            var next = Result(openat(current, names[i], Abi.PathOnly | Abi.OpenNoFollow | Abi.CloseOnExec, 0));
            if (current != directory) _ = close(current);
            if (next < 0 || i == names.Length - 1) return next;
            Statx raw;
            var result = Result(statx(next, "", Abi.AtEmptyPath, Statx.BasicStats, &raw));
            var type = Convert(result, raw).Type;
            current = next;
            if (type == FileType.Directory) continue;
            _ = close(next);
            return result < 0 ? result : type == FileType.Link ? -Errno.ELOOP : -Errno.ENOTDIR;
        }

        return -Errno.EINVAL;
    }

    private static FileStat Convert(int result, Statx raw) => result < 0 ? default : new FileStat(raw.Type, raw.Stamp, raw.Links);

    private static int Result(int value) => value < 0 ? -Marshal.GetLastPInvokeError() : value;

    private static nint Result(nint value) => value < 0 ? -Marshal.GetLastPInvokeError() : value;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int openat(int directory, string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, Statx* stat);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int statx(int directory, byte* path, int flags, uint mask, Statx* stat);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint readlinkat(int directory, string path, byte* buffer, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(int descriptor, byte* buffer, nint length, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);
}
