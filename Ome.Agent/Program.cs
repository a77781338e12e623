using Ome.Agent.Cli;

namespace Ome.Agent;

/// <summary>Entry point: without a subcommand the process is the node's agent.</summary>
public static class Program
{
    public static async Task<int> Main(string[] args)
    {
        var console = CliConsole.System();
#pragma warning disable RS0030 // the one place that reads the environment
        var root = CommandLineApp.CreateRoot(console, TimeProvider.System, Environment.GetEnvironmentVariable);
        // The agent's many flags are of no use to a subcommand, and making them is a good part of its start.
        if (args is [] || root.Subcommands.All(command => command.Name != args[0])) RunCommand.Configure(root, Environment.GetEnvironmentVariable, console.Error);
#pragma warning restore RS0030
        return await CommandLineApp.RunAsync(root, args, console, CancellationToken.None);
    }
}
