using System.Runtime.InteropServices;

namespace Ome.Agent.Verification.Reading.Linux;

/// <summary>
/// A worker's buffers: outside the garbage collector's heap, 2 MiB aligned and backed by huge pages where the kernel has them. One
/// contiguous page is one segment of a disk request: O_DIRECT is twice as fast into these as into ordinary memory. Mapped by themselves, so that they are
/// given back when the worker ends: freed into malloc's heap they stayed resident.
/// </summary>
internal sealed unsafe partial class AlignedBuffers : IDisposable
{
    public const int Size = 2 * 1024 * 1024;
    public const int Count = 4;

    private const int ReadAndWrite = 3;
    private const int PrivateAnonymous = 0x22;

    // One more than is used, to have so many from an aligned address on.
    private const nint Mapped = (nint)Size * (Count + 1);

    private void* _mapping;
    private byte* _memory;

    public AlignedBuffers()
    {
        _mapping = mmap(null, Mapped, ReadAndWrite, PrivateAnonymous, -1, 0);
        if (_mapping == (void*)-1) throw new IOException("The kernel gives no memory for reading.");
        _memory = (byte*)(((nint)_mapping + Size - 1) & ~(nint)(Size - 1));
        _ = madvise(_memory, (nint)Size * Count, Abi.AdviseHugePage);
    }

    public byte* this[int index] => _memory + ((nint)index * Size);

    public void Dispose()
    {
        if (_memory == null) return;
        _ = munmap(_mapping, Mapped);
        _mapping = _memory = null;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial void* mmap(void* address, nint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(void* address, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int madvise(void* address, nint length, int advice);
}
