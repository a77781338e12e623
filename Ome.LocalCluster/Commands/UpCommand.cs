using System.CommandLine;

namespace Ome.LocalCluster.Commands;

/// <summary><c>ome-local-cluster up</c>: serve in the foreground until interrupted.</summary>
internal static class UpCommand
{
    private static readonly Option<int> Port = new("--port") { Description = "HTTPS port on 127.0.0.1; 0 takes a free one.", DefaultValueFactory = _ => 0 };

    private static readonly Option<int> HttpPort = new("--http-port") { Description = "Plain HTTP port on 127.0.0.1; 0 takes a free one.", DefaultValueFactory = _ => 0 };

    private static readonly Option<string> Kubeconfig = new("--kubeconfig")
    {
        Description = "Where to write the kubeconfig. It is removed again at the end.",
        DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), $"ome-local-cluster-{Environment.ProcessId}", "kubeconfig"),
    };

    private static readonly Option<string?> Token = new("--token") { Description = "Bearer token of the administrator; random when left out." };

    private static readonly Option<bool> EnforceRbac = new("--enforce-rbac")
    {
        Description = "Judge service-account tokens by Roles and ClusterRoles. Without it every authenticated request is allowed.",
    };

    private static readonly Option<int> History = new("--history") { Description = "Changes remembered per kind; older watches get 410.", DefaultValueFactory = _ => 10_000 };

    public static Command Create()
    {
        Port.Validators.Add(result => CheckRange(result, 0, 65535));
        HttpPort.Validators.Add(result => CheckRange(result, 0, 65535));
        History.Validators.Add(result => CheckRange(result, 1, 10_000_000));
        var command = new Command("up", "Start the control plane, print 'export KUBECONFIG=<path>' when it is ready, and serve until interrupted.")
        {
            Port, HttpPort, Kubeconfig, Token, EnforceRbac, History,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static void CheckRange(System.CommandLine.Parsing.OptionResult result, int least, int most)
    {
        if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var value) && (value < least || value > most))
            result.AddError($"{result.Option.Name}: got {value}, need {least} to {most}.");
    }

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var options = new LocalClusterOptions
        {
            Port = arguments.GetValue(Port),
            HttpPort = arguments.GetValue(HttpPort),
            AdminToken = arguments.GetValue(Token),
            EnforceRbac = arguments.GetValue(EnforceRbac),
            HistoryPerKind = arguments.GetValue(History),
        };
        var path = arguments.GetValue(Kubeconfig)!;
        try
        {
            await using var cluster = await LocalCluster.StartAsync(options, cancellationToken);
            await cluster.WriteKubeconfigAsync(path, cancellationToken);
            await Console.Out.WriteLineAsync($"export KUBECONFIG={path}");
            await UntilCancelledAsync(cancellationToken);
        }
        catch (PortInUseException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        File.Delete(path);
        return 0;
    }

    // System.CommandLine cancels the token on SIGINT and SIGTERM.
    private static async Task UntilCancelledAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Asked to stop.
        }
    }
}
