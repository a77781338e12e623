using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ome.Tests.Agent.Reading;

/// <summary>Calls that only tests make.</summary>
internal static partial class TestSyscalls
{
    private const int DontNeed = 4;

    public static void Evict(SafeFileHandle file, long offset, long length) => posix_fadvise(file, offset, length, DontNeed).Should().Be(0);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int posix_fadvise(SafeFileHandle file, long offset, long length, int advice);
}
