using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Staging;

/// <summary>What a name leads to, as far as staging tells apart.</summary>
public enum FileKind
{
    /// <summary>A FIFO, socket or device.</summary>
    Other,
    Regular,
    Directory,
    Link,
}

/// <summary>A name as <c>statx</c> sees it, links not followed.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Stamp">Its stamp, as manifests have it.</param>
/// <param name="Links">Number of hard links.</param>
public readonly record struct DiskEntry(FileKind Kind, FileStamp Stamp, uint Links);

/// <summary><c>statx</c> of a path.</summary>
[SuppressMessage("Interoperability", "CA5392", Justification = "libc is already loaded by the runtime")]
internal static partial class PosixStat
{
    public const int NoEntry = 2;
    public const int NotDirectory = 20;

    private const int CurrentDirectory = -100;
    private const int NoFollow = 0x100;
    private const uint BasicStats = 0x7ff;

    /// <summary>0, or the error number.</summary>
    public static int Look(string path, out DiskEntry entry)
    {
        entry = default;
        if (statx(CurrentDirectory, path, NoFollow, BasicStats, out var raw) != 0) return Marshal.GetLastPInvokeError();
        var kind = (raw.Mode & 0xf000) switch
        {
            0x8000 => FileKind.Regular,
            0x4000 => FileKind.Directory,
            0xa000 => FileKind.Link,
            _ => FileKind.Other,
        };

        // As glibc's makedev has it, so that the number equals other tools' st_dev.
        ulong major = raw.DeviceMajor, minor = raw.DeviceMinor;
        var device = ((major & 0xfffff000) << 32) | ((major & 0xfff) << 8) | ((minor & 0xffffff00) << 12) | (minor & 0xff);
        var stamp = new FileStamp(
            (long)raw.Size, Nanoseconds(raw.MtimeSeconds, raw.MtimeNanoseconds), Nanoseconds(raw.CtimeSeconds, raw.CtimeNanoseconds), raw.Inode, device, (long)raw.Blocks);
        entry = new DiskEntry(kind, stamp, raw.Links);
        return 0;
    }

    private static long Nanoseconds(long seconds, uint nanoseconds) => unchecked((seconds * 1_000_000_000) + nanoseconds);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, out Raw entry);

    /// <summary><c>struct statx</c>, as far as it is read.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Raw
    {
        [FieldOffset(16)] public uint Links;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(48)] public ulong Blocks;
        [FieldOffset(96)] public long CtimeSeconds;
        [FieldOffset(104)] public uint CtimeNanoseconds;
        [FieldOffset(112)] public long MtimeSeconds;
        [FieldOffset(120)] public uint MtimeNanoseconds;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }
}
