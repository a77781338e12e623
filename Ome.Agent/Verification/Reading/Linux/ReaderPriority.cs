using System.Runtime.InteropServices;

namespace Ome.Agent.Verification.Reading.Linux;

/// <summary>Puts the calling thread behind everything else, for CPU and disk. Per thread in Linux: never for a thread of the pool.</summary>
internal static partial class ReaderPriority
{
    private const int Nice = 10;

    /// <summary>What the kernel refuses stays as it was: a check that runs at ordinary priority is better than none.</summary>
    public static void Lower()
    {
        _ = setpriority(Abi.PriorityWhoThread, 0, Nice);
        _ = syscall(Abi.IoPrioritySet, Abi.IoPriorityWhoThread, 0, Abi.IoPriorityIdle);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setpriority(int which, uint who, int nice);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c);
}
