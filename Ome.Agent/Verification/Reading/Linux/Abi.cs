using System.Runtime.InteropServices;

namespace Ome.Agent.Verification.Reading.Linux;

/// <summary>Numbers of the kernel's interface; some differ between x86-64 and arm64.</summary>
internal static class Abi
{
    public const int AtFdCwd = -100;
    public const int AtEmptyPath = 0x1000;
    public const int AtSymlinkNoFollow = 0x100;

    public const int CloseOnExec = 0x80000;
    public const int NoAccessTime = 0x40000;
    public const int PathOnly = 0x200000;

    public const ulong ResolveNoMagicLinks = 0x02;
    public const ulong ResolveNoSymlinks = 0x04;
    public const ulong ResolveBeneath = 0x08;

    public const int ReadDontCache = 0x80;
    public const int AdviseHugePage = 14;

    public const int IoPriorityWhoThread = 1;
    public const int IoPriorityBestEffort = (2 << 13) | 4;
    public const int IoPriorityIdle = 3 << 13;
    public const int PriorityWhoThread = 0;

    public static readonly nint OpenAt2 = 437;
    public static readonly nint CacheStat = 451;
    public static readonly nint GetDents64 = IsArm ? 61 : 217;
    public static readonly nint PreadV2 = IsArm ? 286 : 327;
    public static readonly nint IoPrioritySet = IsArm ? 30 : 251;

    public static readonly int OpenDirect = IsArm ? 0x10000 : 0x4000;
    public static readonly int OpenDirectory = IsArm ? 0x4000 : 0x10000;
    public static readonly int OpenNoFollow = IsArm ? 0x8000 : 0x20000;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary><c>struct open_how</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    /// <summary><c>struct cachestat_range</c> followed by <c>struct cachestat</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct CacheQuery
    {
        public ulong Offset;
        public ulong Length;
        public ulong Cached;
        public ulong Dirty;
        public ulong Writeback;
        public ulong Evicted;
        public ulong RecentlyEvicted;
    }

    /// <summary><c>struct iovec</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct IoVector
    {
        public byte* Base;
        public nint Length;
    }
}
