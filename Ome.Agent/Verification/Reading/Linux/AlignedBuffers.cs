using System.Runtime.InteropServices;

namespace Ome.Agent.Verification.Reading.Linux;

/// <summary>
/// A worker's buffers: outside the garbage collector's heap, 2 MiB aligned and backed by huge pages where the kernel has them. One
/// contiguous page is one segment of a disk request: O_DIRECT is twice as fast into these as into ordinary memory.
/// </summary>
internal sealed unsafe partial class AlignedBuffers : IDisposable
{
    public const int Size = 2 * 1024 * 1024;
    public const int Count = 4;

    private byte* _memory;

    public AlignedBuffers()
    {
        _memory = (byte*)NativeMemory.AlignedAlloc(Size * Count, Size);
        _ = madvise(_memory, Size * Count, Abi.AdviseHugePage);
    }

    public byte* this[int index] => _memory + ((nint)index * Size);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int madvise(void* address, nint length, int advice);
}
