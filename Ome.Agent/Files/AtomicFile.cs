using System.Runtime.InteropServices;
using Ome.Agent.Verification.Reading.Linux;

namespace Ome.Agent.Files;

/// <summary>
/// Small files that are whole or absent, also after a power cut: written beside their place, flushed to the medium, renamed over it, and the
/// directory flushed too.
/// </summary>
public static partial class AtomicFile
{
    private const int CloseOnExec = 0x80000; // the same on x86-64 and arm64, which O_DIRECTORY is not

    /// <summary>Suffix of a file that is being written; one left behind by a crash is overwritten by the next write.</summary>
    public const string PendingSuffix = ".new";

    /// <summary>Durable when it returns.</summary>
    /// <exception cref="IOException">The file could not be written; the old content stands.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var pending = path + PendingSuffix;
        using (var stream = new FileStream(pending, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.Move(pending, path, overwrite: true);
        FlushDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Why nothing could be written to <paramref name="path"/>, a file or none yet; null when it could. Makes the directory.</summary>
    public static string? ObstacleTo(string path)
    {
        try
        {
            if (Directory.Exists(path)) return "it is a directory";
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Delete(path + PendingSuffix);
            using (new FileStream(path + PendingSuffix, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose)) return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return error.Message.TrimEnd('.');
        }
    }

    /// <summary>True for a file with content, or a link to one; not for a directory, FIFO, socket or device.</summary>
    public static bool IsRegular(string path) => LinuxCalls.Instance.StatPath(path, out var stat) >= 0 && stat.Type == FileType.Regular;

    /// <summary>The content, or null when there is no such file or it has more than <paramref name="maxBytes"/>.</summary>
    /// <exception cref="IOException">The file is there but could not be read.</exception>
    public static byte[]? Read(string path, int maxBytes)
    {
        using var stream = OpenRead(path, maxBytes);
        if (stream is null) return null;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    /// <summary>Opens it for reading; null when there is no such file or it has more than <paramref name="maxBytes"/>. Nobody is kept from replacing it.</summary>
    /// <exception cref="IOException">The file is there but could not be read.</exception>
    public static FileStream? OpenRead(string path, long maxBytes)
    {
        try
        {
            // A FIFO would be waited for, for ever.
            if (File.Exists(path) && !IsRegular(path)) throw new IOException("it is not a regular file");
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (stream.Length <= maxBytes) return stream;
            stream.Dispose();
            return null;
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Removes the file so that it stays removed; absent is fine.</summary>
    public static void Delete(string path)
    {
        if (!File.Exists(path)) return;
        File.Delete(path);
        FlushDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Makes renames and removals inside a directory durable; a file system that cannot (some FUSE mounts) is left to its own promises.</summary>
    public static void FlushDirectory(string directory)
    {
        var descriptor = Open(directory, CloseOnExec);
        if (descriptor < 0) return;
        _ = Fsync(descriptor);
        _ = Close(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
