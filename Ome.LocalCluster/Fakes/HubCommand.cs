using System.CommandLine;

namespace Ome.LocalCluster.Fakes;

/// <summary><c>ome-local-cluster hub --root DIR</c>: the fake hub as a process, for the demo and for playing with a real client.</summary>
public static class HubCommand
{
    /// <summary>The command, to be added to the root command.</summary>
    public static Command Create()
    {
        var root = new Option<DirectoryInfo>("--root") { Description = "Directory with one folder per owner, one below it per model", Required = true };
        var port = new Option<int>("--port") { Description = "Port of the API on 127.0.0.1; 0 takes a free one", DefaultValueFactory = _ => 0 };
        var generate = new Option<string[]>("--generate") { Description = "owner/name of a small model to generate under the root first", AllowMultipleArgumentsPerToken = true };
        var command = new Command("hub", "Serve directories as a Hugging Face hub on loopback, for development") { root, port, generate };
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(parsed.GetValue(root)!.FullName, parsed.GetValue(port), parsed.GetValue(generate) ?? [], Console.Out, cancellationToken));
        return command;
    }

    /// <summary>Serves until cancelled. Prints one line <c>HF_ENDPOINT=http://127.0.0.1:PORT</c> when it is ready.</summary>
    public static async Task<int> RunAsync(string root, int port, IReadOnlyList<string> generate, TextWriter output, CancellationToken cancellationToken)
    {
        for (var i = 0; i < generate.Count; i++)
        {
            var directory = Path.Combine(root, generate[i]);
            if (!Directory.Exists(directory)) ModelTree.Write(directory, new ModelTreeOptions(Seed: i + 1));
        }

        await using var hub = await FakeHub.StartAsync(port, cancellationToken: cancellationToken).ConfigureAwait(false);
        foreach (var owner in Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal))
        {
            foreach (var model in Directory.EnumerateDirectories(owner).Order(StringComparer.Ordinal))
            {
                var id = $"{Path.GetFileName(owner)}/{Path.GetFileName(model)}";
                var repository = hub.AddDirectory(id, model);
                await output.WriteLineAsync($"# hf://{id} at {repository.Head}").ConfigureAwait(false);
            }
        }

        await output.WriteLineAsync($"HF_ENDPOINT={hub.Endpoint}").ConfigureAwait(false);
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to end.
        }

        return 0;
    }
}
