using Ome.Agent.Files;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Verification.Reading.Linux;

/// <summary>The answer of <c>statx</c>, as far as we use it.</summary>
internal readonly record struct FileStat(FileType Type, FileStamp Stamp, uint Links)
{
    /// <summary>The word findings use.</summary>
    public static string NameOf(FileType type) => type switch
    {
        FileType.Regular => "regular file",
        FileType.Directory => "directory",
        FileType.Link => "link",
        FileType.Fifo => "FIFO",
        FileType.Socket => "socket",
        FileType.CharacterDevice => "character device",
        FileType.BlockDevice => "block device",
        _ => "unknown type",
    };

    /// <summary>True when both looks saw the same inode with the same content stamps; the number of blocks and of links may move.</summary>
    public bool SameContent(in FileStat other) => Stamp with { Blocks = 0 } == other.Stamp with { Blocks = 0 };
}
