using Ome.Agent.Files;

namespace Ome.Agent.Verification;

/// <summary>
/// Tells at start whether the process ended in order last time. After a crash or a power cut nothing that was Ready is taken for granted:
/// every model is looked at at once, without jitter, and its content from the oldest proof on.
/// </summary>
public sealed class ShutdownMarker
{
    private readonly string _path;

    /// <summary>Reads the mark and sets it for this run.</summary>
    /// <exception cref="IOException">The directory cannot be written.</exception>
    public ShutdownMarker(string stateDirectory)
    {
        _path = Path.Combine(stateDirectory, "running");
        WasUnclean = File.Exists(_path);
        Directory.CreateDirectory(stateDirectory);
        AtomicFile.Write(_path, "removed when the agent ends in order\n"u8);
    }

    /// <summary>True when the last run did not end in order.</summary>
    public bool WasUnclean { get; }

    /// <summary>The run ends in order; call it last.</summary>
    public void End() => AtomicFile.Delete(_path);
}
