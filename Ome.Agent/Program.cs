using Ome.Agent.Cli;

namespace Ome.Agent;

/// <summary>Entry point: commands that need no cluster. Without a subcommand the process is to be the node's agent.</summary>
public static class Program
{
    public static async Task<int> Main(string[] args)
    {
        var console = CliConsole.System();
        return await CommandLineApp.RunAsync(CommandLineApp.CreateRoot(console, TimeProvider.System), args, console, CancellationToken.None);
    }
}
