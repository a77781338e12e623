namespace Ome.Agent.Watching;

/// <summary>Bits of inotify, as far as they are used; the same on x86-64 and arm64.</summary>
internal static class InotifyMask
{
    public const uint Modify = 0x2;
    public const uint Attributes = 0x4;
    public const uint MovedFrom = 0x40;
    public const uint MovedTo = 0x80;
    public const uint Create = 0x100;
    public const uint Delete = 0x200;
    public const uint DeleteSelf = 0x400;
    public const uint MoveSelf = 0x800;

    public const uint Overflow = 0x4000;
    public const uint Ignored = 0x8000;

    public const uint OnlyDirectory = 0x1000000;
    public const uint DontFollow = 0x2000000;
    public const uint ExcludeUnlinked = 0x4000000;
    public const uint Add = 0x20000000;
    public const uint IsDirectory = 0x40000000;

    /// <summary>Names that come or go.</summary>
    public const uint Names = Create | Delete | MovedFrom | MovedTo;

    /// <summary>The watched directory itself is no longer what lies there.</summary>
    public const uint Self = DeleteSelf | MoveSelf;
}
