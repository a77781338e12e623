namespace Ome.Agent.Files;

/// <summary>What a name can lead to.</summary>
public enum FileType
{
    Unknown,
    Regular,
    Directory,
    Link,
    Fifo,
    Socket,
    CharacterDevice,
    BlockDevice,
}
