using System.CommandLine;
using System.CommandLine.Parsing;
using Ome.Shared.Settings;

namespace Ome.Agent.Cli;

/// <summary>The binary's command line.</summary>
public static class CommandLineApp
{
    /// <summary>The root with the subcommands that need no cluster.</summary>
    /// <param name="console">Where they write.</param>
    /// <param name="time">Their clock.</param>
    /// <param name="environment">Reads a variable of the environment; null = there are none.</param>
    public static RootCommand CreateRoot(CliConsole console, TimeProvider time, Func<string, string?>? environment = null)
    {
        var root = new RootCommand("Keeps LLM model files on a node and keeps proving that they are intact.");
        root.ShowBuild("ome-agent");
        root.Subcommands.Add(VerifyCommand.Create(console, time));
        root.Subcommands.Add(ManifestCommand.Create(console, time));
        root.Subcommands.Add(StageCommand.Create(console, time, environment ?? (_ => null)));
        return root;
    }

    /// <summary>Runs what the arguments say. A command line that cannot be understood ends with <see cref="ExitCode.Usage"/>.</summary>
    public static async Task<int> RunAsync(RootCommand root, IReadOnlyList<string> args, CliConsole console, CancellationToken cancellationToken)
    {
        var parsed = root.Parse(args);
        string[] problems = [.. parsed.Errors.Select(error => error.Message), .. Empty(parsed.CommandResult)];
        if (problems is []) return await InvokeAsync(parsed, console, cancellationToken);
        foreach (var problem in problems) await console.Error.WriteLineAsync($"ome-agent: {problem}");
        await console.Error.WriteLineAsync($"Try: {CommandPath(parsed.CommandResult.Command)} --help");
        return ExitCode.Usage;
    }

    private static async Task<int> InvokeAsync(ParseResult parsed, CliConsole console, CancellationToken cancellationToken)
    {
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { Output = console.Out, Error = console.Error, EnableDefaultExceptionHandler = false }, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await console.Error.WriteLineAsync("ome-agent: cancelled");
            return ExitCode.CouldNotVerify;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A disk that is full, an output that was closed: said in one line, and never mistaken for an answer about the files.
            await console.Error.WriteLineAsync($"ome-agent: {CliConsole.Plain(failure.Message)}");
            return ExitCode.CouldNotVerify;
        }
    }

    /// <summary>What a subcommand was given as an empty text. The agent's own flags may be empty, as manifests have them.</summary>
    private static IEnumerable<string> Empty(CommandResult result) =>
        result.Command is RootCommand ? [] : result.Children.Where(child => child.Tokens.Any(token => token.Value.Length == 0)).Select(child => $"{NameOf(child)} is empty: is a variable not set?");

    private static string NameOf(SymbolResult result) => result switch
    {
        OptionResult option => option.Option.Name,
        ArgumentResult argument => argument.Argument.Name,
        _ => "an argument",
    };

    private static string CommandPath(Command command) =>
        string.Join(' ', command.Parents.OfType<Command>().Select(CommandPath).Append(command is RootCommand ? "ome-agent" : command.Name));
}
