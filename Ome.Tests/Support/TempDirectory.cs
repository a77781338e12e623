namespace Ome.Tests.Support;

/// <summary>A directory of its own for one test, gone with it.</summary>
public sealed class TempDirectory : IDisposable
{
    /// <summary>Absolute.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("ome-test-").FullName;

    /// <summary>A path below it.</summary>
    public string this[params ReadOnlySpan<string> parts] => System.IO.Path.Combine([Path, .. parts]);

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // A file still being written by what the test left behind: the system's own clean-up takes it.
        }
    }
}
