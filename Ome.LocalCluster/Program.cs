using System.CommandLine;
using Ome.LocalCluster.Commands;
using Ome.LocalCluster.Fakes;

namespace Ome.LocalCluster;

/// <summary>Entry point.</summary>
public static class Program
{
    /// <summary>Exit codes: 0 stopped on request, 1 could not start, 2 usage.</summary>
    public static async Task<int> Main(string[] args)
    {
        var root = new RootCommand("A Kubernetes API in one process, for development and tests of Ome. It keeps everything in memory and runs no pods.")
        {
            UpCommand.Create(),
            Demo.DemoCommand.Create(),
            HubCommand.Create(),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count == 0) return await parsed.InvokeAsync();
        foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync(error.Message);
        await Console.Error.WriteLineAsync("Run with --help to see what is offered.");
        return 2;
    }
}
