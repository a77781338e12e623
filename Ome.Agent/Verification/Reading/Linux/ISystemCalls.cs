namespace Ome.Agent.Verification.Reading.Linux;

/// <summary>How the bytes of one read travel.</summary>
internal enum ReadMode
{
    /// <summary>Through the page cache.</summary>
    Cached,

    /// <summary>Through the page cache; pages that this read brings in are dropped again (RWF_DONTCACHE, Linux 6.14).</summary>
    DropBehind,

    /// <summary>On a descriptor opened with O_DIRECT: offset, length and buffer aligned.</summary>
    Direct,
}

/// <summary>
/// The kernel as the engine sees it: every call that touches a file system goes through here, so that a test can count them, fail
/// them or hold them at each site. Answers are the kernel's: a negative number is <c>-errno</c>. Paths are relative and hold no "..".
/// </summary>
internal unsafe interface ISystemCalls
{
    /// <summary>Opens a directory by absolute path, following links: only ever for a root that the administrator named.</summary>
    int OpenDirectory(string path);

    /// <summary>Stats an absolute path, following links: to see whether a root is still the one that was opened.</summary>
    int StatPath(string path, out FileStat stat);

    /// <summary>A handle (O_PATH) on what has that name; opens no device, wakes no FIFO. A link as last name gives the link, a link on the way is -ELOOP.</summary>
    int OpenHandle(int directory, string path);

    /// <summary>Opens for reading exactly the file that the handle is on.</summary>
    int Reopen(int handle, bool direct);

    /// <summary>Opens for enumeration exactly the directory that the handle is on.</summary>
    int ReopenDirectory(int handle);

    int Stat(int descriptor, out FileStat stat);

    /// <summary>Stats a name (NUL-terminated) in a directory without following a link.</summary>
    int StatAt(int directory, ReadOnlySpan<byte> name, out FileStat stat);

    /// <summary>Text of the link that the handle is on.</summary>
    int ReadLink(int handle, Span<byte> text);

    nint Read(int descriptor, byte* buffer, nint length, long offset, ReadMode mode);

    /// <summary>Bytes of the range that the page cache holds.</summary>
    long CachedBytes(int descriptor, long offset, long length);

    /// <summary>The next directory entries (<c>struct linux_dirent64</c>); 0 at the end.</summary>
    nint ReadDirectory(int descriptor, Span<byte> entries);

    void Close(int descriptor);
}
