using Ome.Agent.Files;

namespace Ome.Agent.Hosting;

/// <summary>
/// A file that lies in the state directory while the agent runs: found at start, the last run did not end in order. After a crash or a power cut nothing
/// that was Ready is taken for granted (design 7, boot rule). The first of the hosted services, so that it stops last.
/// </summary>
public sealed class RunMarker(string stateDirectory) : IHostedService
{
    private readonly string _path = PathIn(stateDirectory);

    /// <summary>The last run was cut off: everything is looked at at once.</summary>
    public bool LastRunWasCutOff { get; } = File.Exists(PathIn(stateDirectory));

    public Task StartAsync(CancellationToken cancellationToken)
    {
        AtomicFile.Write(_path, "removed when the agent ends in order\n"u8);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        AtomicFile.Delete(_path);
        return Task.CompletedTask;
    }

    private static string PathIn(string stateDirectory) => Path.Combine(stateDirectory, "running");
}
