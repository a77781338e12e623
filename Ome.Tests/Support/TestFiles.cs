namespace Ome.Tests.Support;

/// <summary>Small files of a test, read whole.</summary>
public static class TestFiles
{
    private const int Most = 1 << 30;

    /// <summary>All bytes of a file.</summary>
    public static byte[] Bytes(params ReadOnlySpan<string> path)
    {
        using var file = File.OpenRead(Path.Combine(path));
        if (file.Length > Most) throw new ArgumentException($"'{file.Name}' has {file.Length} bytes.", nameof(path));
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Every file below a directory by its relative path.</summary>
    public static SortedDictionary<string, byte[]> Tree(string directory)
    {
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)) files[Path.GetRelativePath(directory, file)] = Bytes(file);
        return files;
    }
}
