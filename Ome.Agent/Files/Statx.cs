using System.Runtime.InteropServices;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Files;

/// <summary><c>struct statx</c>, as far as it is read; the same on x86-64 and arm64.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct Statx
{
    /// <summary>Fills everything read here.</summary>
    public const uint BasicStats = 0x7ff;

    [FieldOffset(16)] public uint Links;
    [FieldOffset(28)] private ushort _mode;
    [FieldOffset(32)] private ulong _inode;
    [FieldOffset(40)] private ulong _size;
    [FieldOffset(48)] private ulong _blocks;
    [FieldOffset(96)] private long _ctimeSeconds;
    [FieldOffset(104)] private uint _ctimeNanoseconds;
    [FieldOffset(112)] private long _mtimeSeconds;
    [FieldOffset(120)] private uint _mtimeNanoseconds;
    [FieldOffset(136)] private uint _deviceMajor;
    [FieldOffset(140)] private uint _deviceMinor;

    public readonly FileType Type => (_mode & 0xf000) switch
    {
        0x8000 => FileType.Regular,
        0x4000 => FileType.Directory,
        0xa000 => FileType.Link,
        0x1000 => FileType.Fifo,
        0xc000 => FileType.Socket,
        0x2000 => FileType.CharacterDevice,
        0x6000 => FileType.BlockDevice,
        _ => FileType.Unknown,
    };

    /// <summary>As manifests have it.</summary>
    public readonly FileStamp Stamp => new(
        (long)_size, Nanoseconds(_mtimeSeconds, _mtimeNanoseconds), Nanoseconds(_ctimeSeconds, _ctimeNanoseconds), _inode, Device, (long)_blocks);

    /// <summary>The encoding of glibc's makedev, so that the number equals st_dev of other tools.</summary>
    private readonly ulong Device
    {
        get
        {
            ulong major = _deviceMajor, minor = _deviceMinor;
            return ((major & 0xfffff000) << 32) | ((major & 0xfff) << 8) | ((minor & 0xffffff00) << 12) | (minor & 0xff);
        }
    }

    private static long Nanoseconds(long seconds, uint nanoseconds) => unchecked((seconds * 1_000_000_000) + nanoseconds);
}
