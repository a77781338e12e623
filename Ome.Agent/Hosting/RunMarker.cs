namespace Ome.Agent.Hosting;

/// <summary>A file that lies in the state directory while the agent runs: found at start, the last run did not end by itself (design 7, boot rule).</summary>
public sealed class RunMarker(string stateDirectory) : IHostedService
{
    private readonly string _path = Path.Combine(stateDirectory, "running");

    /// <summary>The last run was cut off: everything is looked at at once.</summary>
    public bool LastRunWasCutOff { get; } = File.Exists(Path.Combine(stateDirectory, "running"));

    public Task StartAsync(CancellationToken cancellationToken)
    {
        Files.AtomicFile.Write(_path, "running\n"u8);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Files.AtomicFile.Delete(_path);
        return Task.CompletedTask;
    }
}
