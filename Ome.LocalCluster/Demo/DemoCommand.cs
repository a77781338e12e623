using System.CommandLine;

namespace Ome.LocalCluster.Demo;

/// <summary><c>ome-local-cluster demo</c>: the whole system on this machine, damaged and mended before one's eyes.</summary>
internal static class DemoCommand
{
    private static readonly Option<int> Agents = new("--agents") { Description = "Number of nodes, 2 to 9.", DefaultValueFactory = _ => 3 };

    private static readonly Option<string?> Model = new("--model") { Description = "Directory of a model of your own, with at least one .safetensors file; one is generated otherwise." };

    private static readonly Option<bool> Keep = new("--keep") { Description = "Leave everything running at the end, until interrupted." };

    private static readonly Option<string?> Context = new("--context")
    {
        Description = $"Run on the cluster of this kubeconfig context ('{DemoContext.Current}': the one kubectl takes) and leave nothing behind in it. Without it the demo starts a control plane: a real one when KUBEBUILDER_ASSETS is set, else the in-process one.",
    };

    private static readonly Option<int> Port = new("--port") { Description = "HTTPS port of the in-process control plane on 127.0.0.1; 0 takes a free one.", DefaultValueFactory = _ => 0 };

    private static readonly Option<string> Configuration = new("--configuration") { Description = "Build configuration of the programs.", DefaultValueFactory = _ => "Release" };

    public static Command Create()
    {
        Agents.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var value) && value is < 2 or > 9) result.AddError($"--agents: got {value}, need 2 to 9.");
        });
        Port.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var value) && value is < 0 or > 65535) result.AddError($"--port: got {value}, need 0 to 65535.");
        });
        Model.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var directory }] && (!Directory.Exists(directory) || Directory.GetFiles(directory, "*.safetensors").Length == 0))
                result.AddError($"--model: '{directory}' is no directory with a .safetensors file.");
        });
        var command = new Command("demo", "Start a control plane, the operator and agents on real files, damage files, and watch readiness go and come back.") { Agents, Model, Keep, Context, Port, Configuration };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("ome-demo-").FullName;
        var model = parsed.GetValue(Model) is { } own ? Path.GetFullPath(own) : null;
        // An empty KUBEBUILDER_ASSETS is none, as for the tests.
#pragma warning disable RS0030 // the one place of the demo that looks at the environment
        var assets = Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS") is { Length: > 0 } set ? set : null;
#pragma warning restore RS0030
        var options = new DemoOptions(
            RepositoryRoot(), directory, parsed.GetValue(Configuration)!, parsed.GetValue(Agents), model, parsed.GetValue(Keep), parsed.GetValue(Context), assets, parsed.GetValue(Port));
        var done = false;
        try
        {
            await using var world = await DemoWorld.StartAsync(options, cancellationToken);
            done = await new DemoScript(world).RunAsync(cancellationToken);
            if (!options.Keep) return done ? 0 : 1;
            await Console.Out.WriteLineAsync($"\nStill running; {world.Cluster.Invitation}\nFleet page: {world.FleetPage}\nModels and logs: {directory}. Ctrl-C ends it.");
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return done ? 0 : 1;
        }
        catch (Exception trouble) when (trouble is FileNotFoundException or HttpRequestException or DemoFailedException or PortInUseException)
        {
            await Console.Error.WriteLineAsync("demo: " + trouble.Message);
            return 1;
        }
        finally
        {
            if (done) Directory.Delete(directory, recursive: true);
            else await Console.Error.WriteLineAsync($"demo: logs and files are kept in {directory}");
        }
    }

    private static string RepositoryRoot()
    {
        foreach (var start in new[] { Directory.GetCurrentDirectory(), AppContext.BaseDirectory })
        {
            for (var directory = new DirectoryInfo(start); directory is not null; directory = directory.Parent)
            {
                if (File.Exists(Path.Combine(directory.FullName, "Ome.sln"))) return directory.FullName;
            }
        }

        throw new FileNotFoundException("Ome.sln was not found above here: run the demo from the repository.");
    }
}

/// <summary>Something the demo waited for did not happen.</summary>
internal sealed class DemoFailedException(string message) : Exception(message);
