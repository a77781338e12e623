using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ome.Agent.Staging;

/// <summary>The file system as staging uses it. Virtual, so that a test can fill it, break it and count; every error is an <see cref="IOException"/>.</summary>
[SuppressMessage("Interoperability", "CA5392", Justification = "libc is already loaded by the runtime")]
public partial class StagingDisk
{
    private const int NotSupported = 95;
    private const int NoSpace = 28;
    private const int Quota = 122;
    private const int Invalid = 22;
    private const int NotImplemented = 38;
    private const int Here = -100;
    private const uint BothWays = 2;
    private const uint WriteBackNow = 2;

    /// <summary>Bytes an unprivileged writer may still use on the directory's file system.</summary>
    public virtual long FreeBytes(string directory) => new DriveInfo(directory).AvailableFreeSpace;

    /// <summary>Opens a side file for reading and writing, made with its whole size allocated.</summary>
    /// <returns>The handle, and whether the file system has set the room aside.</returns>
    public virtual (SafeFileHandle Handle, bool Reserved) OpenPart(string path, long size)
    {
        var handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        try
        {
            if (size == 0) return (handle, true);
            if (fallocate(handle, 0, 0, size) == 0) return (handle, true);
            var errno = Marshal.GetLastPInvokeError();
            if (errno != NotSupported) throw Error(errno, "allocate", path);
            return (handle, false);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Writes at a position.</summary>
    public virtual void Write(SafeFileHandle handle, ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(handle, bytes, offset);

    /// <summary>Asks the kernel to begin writing a range out, so that the flush at the end is short and dirty pages don't pile up.</summary>
    public virtual void StartWriteback(SafeFileHandle handle, long offset, long length)
    {
        // Advice: a file system that does not know it writes at the flush.
        _ = sync_file_range(handle, offset, length, WriteBackNow);
    }

    /// <summary>Returns when the file's bytes are on the medium.</summary>
    public virtual void Flush(SafeFileHandle handle) => RandomAccess.FlushToDisk(handle);

    /// <summary>Returns when the directory's names are on the medium.</summary>
    public virtual void FlushDirectory(string path) => Files.AtomicFile.FlushDirectory(path);

    /// <summary>Renames within the file system; replaces a file of that name in one step.</summary>
    public virtual void Rename(string from, string to)
    {
        if (rename(from, to) != 0) throw Error(Marshal.GetLastPInvokeError(), "rename", to);
    }

    /// <summary>Swaps what two names stand for, in one step where the file system can; where it cannot, the second stands for nothing for a moment.</summary>
    public virtual void Exchange(string one, string other)
    {
        if (renameat2(Here, one, Here, other, BothWays) == 0) return;
        var errno = Marshal.GetLastPInvokeError();
        if (errno is not (Invalid or NotImplemented)) throw Error(errno, "exchange", other);
        var aside = one + ".old";
        Rename(other, aside);
        Rename(one, other);
        Rename(aside, one);
    }

    /// <summary>Gives a file a second name.</summary>
    public virtual void Link(string file, string name)
    {
        if (link(file, name) != 0) throw Error(Marshal.GetLastPInvokeError(), "link", name);
    }

    /// <summary>What has that name, links not followed; null when nothing has.</summary>
    public virtual DiskEntry? Look(string path)
    {
        var errno = PosixStat.Look(path, out var entry);
        if (errno == 0) return entry;
        return errno is PosixStat.NoEntry or PosixStat.NotDirectory ? null : throw Error(errno, "stat", path);
    }

    /// <summary>True when the error says that there is no room.</summary>
    public static bool IsFull(Exception error) => error is IOException { HResult: NoSpace or Quota };

    /// <summary>The error of a disk on which less is left than must stay free.</summary>
    public static IOException Full(long reserve) => new($"less than the {reserve} bytes that stay free are left", NoSpace);

    /// <summary>An error as .NET makes them: the number in HResult, the name in the text, the path's last part only.</summary>
    protected static IOException Error(int errno, string action, string path) =>
        new($"cannot {action} '{Path.GetFileName(path)}': {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})", errno);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(SafeFileHandle file, int mode, long offset, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sync_file_range(SafeFileHandle file, long offset, long length, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rename(string from, string to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int renameat2(int fromDirectory, string from, int toDirectory, string to, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string file, string name);
}
