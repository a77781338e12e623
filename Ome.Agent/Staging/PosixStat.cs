using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Ome.Agent.Files;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Staging;

/// <summary>A name as <c>statx</c> sees it, links not followed.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Stamp">Its stamp, as manifests have it.</param>
/// <param name="Links">Number of hard links.</param>
public readonly record struct DiskEntry(FileType Kind, FileStamp Stamp, uint Links);

/// <summary><c>statx</c> of a path.</summary>
[SuppressMessage("Interoperability", "CA5392", Justification = "libc is already loaded by the runtime")]
internal static partial class PosixStat
{
    public const int NoEntry = 2;
    public const int NotDirectory = 20;

    private const int CurrentDirectory = -100;
    private const int NoFollow = 0x100;

    /// <summary>0, or the error number.</summary>
    public static int Look(string path, out DiskEntry entry)
    {
        entry = default;
        if (statx(CurrentDirectory, path, NoFollow, Statx.BasicStats, out var raw) != 0) return Marshal.GetLastPInvokeError();
        entry = new DiskEntry(raw.Type, raw.Stamp, raw.Links);
        return 0;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, out Statx entry);
}
