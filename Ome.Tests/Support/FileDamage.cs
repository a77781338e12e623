namespace Ome.Tests.Support;

/// <summary>Damage as a disk does it.</summary>
internal static class FileDamage
{
    /// <summary>Flips one bit of the last byte; size stays, the modification time does not.</summary>
    public static void Flip(string path)
    {
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = file.Length - 1;
        var value = file.ReadByte();
        file.Position = file.Length - 1;
        file.WriteByte((byte)(value ^ 0x40));
    }
}
