using System.CommandLine;
using Ome.Agent.Hosting;
using Ome.Agent.Models;
using Ome.Agent.Staging;
using Ome.Agent.Verification;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Cli;

/// <summary>
/// <c>ome-agent stage URI DIR</c>: brings a model to a directory and proves it on the way, without a cluster. Leaves the manifest in <c>DIR/.ome</c>, where
/// <c>ome-agent verify DIR</c> finds it.
/// </summary>
internal static class StageCommand
{
    private const string Help = """
        Bring a model to a directory and prove every byte on the way. No cluster needed.

        URI is hf://OWNER/NAME[@REVISION], or local://DIR for files that are in place already. The token is taken from --token-file, else from HF_TOKEN; the hub's address from ENDPOINT or HF_ENDPOINT.
        Files appear under their names only when all of them are proven; run it again after any interruption and it goes on where it was.
        The manifest is left in DIR/.ome: 'ome-agent verify DIR' compares with it.

        Exit code: 0 staged, 2 usage, 3 not staged.
        """;

    public static Command Create(CliConsole console, TimeProvider time, Func<string, string?> environment)
    {
        var source = new Argument<string>("URI") { Description = "where the model comes from" };
        var directory = new Argument<string>("DIR") { Description = "directory of the model's files; made when absent" };
        var tokenFile = new Option<string?>("--token-file") { Description = "file that holds the hub's token", HelpName = "FILE" };
        var limit = new Option<string?>("--bytes-per-second") { Description = "most bytes fetched per second, e.g. 100MiB", HelpName = "BYTES" };
        var connections = new Option<int>("--connections") { Description = "connections at once", DefaultValueFactory = _ => 8 };
        var command = new Command("stage", Help) { source, directory, tokenFile, limit, connections };
        command.Validators.Add(result =>
        {
            if (result.GetValue(limit) is { } text && !ByteText.TryParse(text, out _)) result.AddError($"--bytes-per-second is '{text}': it must be {ByteText.Expected}");
        });
        // On the option: a command's validators run before defaults are filled in.
        connections.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && (!int.TryParse(text, out var count) || count is < 1 or > 64)) result.AddError($"--connections is '{text}': it must be from 1 to 64");
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var hub = HuggingFaceOptions.FromEnvironment(environment);
            if (parsed.GetValue(tokenFile) is { } file) hub.Token = Secret.From(await ReadTokenAsync(file, cancellationToken)) ?? hub.Token;
            var options = new StagingOptions { Connections = parsed.GetValue(connections), ParallelFiles = parsed.GetValue(connections), ProgressInterval = TimeSpan.FromSeconds(10) };
            if (parsed.GetValue(limit) is { } text && ByteText.TryParse(text, out var bytes)) options.BytesPerSecond = bytes;
            return await RunAsync(parsed.GetValue(source)!, VerifyCommand.DirectoryPath(parsed.GetValue(directory)!), hub, options, console, time, cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        string source, string directory, HuggingFaceOptions hub, StagingOptions options, CliConsole console, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!StorageUri.TryParse(source, out var uri, out var refusal)) return await UsageAsync(console, $"URI is {refusal}");
        if (Path.GetDirectoryName(directory) is not { Length: > 1 } root) return await UsageAsync(console, $"DIR is '{directory}': it must lie below another directory than /");
        Directory.CreateDirectory(root);
        await using var services = Services(uri, root, directory, hub, options, time);
        var model = new ModelSpec { Key = ModelKey.Cluster("staged"), StorageUri = source };
        var progress = new Lines(console);
        var result = await services.GetRequiredService<ArtifactStager>().StageAsync(new StagingRequest(model, uri, directory), progress, cancellationToken);
        if (result is not StagingResult.Staged staged)
        {
            await console.Error.WriteLineAsync("ome-agent: " + CliConsole.Plain(result is StagingResult.Failed failed ? failed.Failure.ToString() : ((StagingResult.NothingToProve)result).Why));
            return ExitCode.CouldNotVerify;
        }

        var (manifest, tally) = (staged.Manifest, staged.Tally);
        await console.Out.WriteLineAsync(
            $"Staged {CliConsole.Plain(source)}{(manifest.Source.Revision is { } revision ? " @ " + CliConsole.Plain(revision) : "")} in {CliConsole.Plain(directory)}: "
            + $"{manifest.Entries.Length} files, {ByteText.Format(manifest.TotalBytes)}; fetched {tally.BytesFetched} bytes, {tally.BytesReused} were there, {tally.Reconnects} reconnects");
        return ExitCode.Intact;
    }

    private static ServiceProvider Services(StorageUri uri, string root, string directory, HuggingFaceOptions hub, StagingOptions options, TimeProvider time)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddStaging();
        services.AddSingleton(time);
        services.AddSingleton(hub);
        services.AddSingleton(options);
        services.AddSingleton<ISecretReader>(new NoSecrets());
        services.AddSingleton<IArtifactRecords>(new NoRecords());
        services.AddSingleton<IManifestStore>(new DirectoryManifests(directory));
        services.AddSingleton(new StagingLayout(root));
        if (uri is StorageUri.Local)
        {
            // What breaks its own format from the first is noted as such, as the agent does.
            services.AddSingleton(new AgentOptions { ModelsRoot = root });
            services.AddSingleton(_ => new IoBudget(0, time));
            services.AddSingleton(provider => new ReadEngine(new ReadEngineOptions(), provider.GetRequiredService<IoBudget>(), time));
            services.AddSingleton<ManifestBuilder>();
            services.AddSingleton<IStructureReader, StructureReader>();
        }

        return services.BuildServiceProvider();
    }

    private static async Task<string> ReadTokenAsync(string path, CancellationToken cancellationToken)
    {
        const int LongestToken = 64 * 1024;
        var buffer = new char[LongestToken];
        using var reader = new StreamReader(path);
        return new string(buffer, 0, await reader.ReadBlockAsync(buffer, cancellationToken));
    }

    private static async Task<int> UsageAsync(CliConsole console, string problem)
    {
        await console.Error.WriteLineAsync($"ome-agent: {CliConsole.Plain(problem)}");
        return ExitCode.Usage;
    }

    /// <summary>The one model's manifest lies in its own directory.</summary>
    private sealed class DirectoryManifests(string directory) : IManifestStore
    {
        public Task<ArtifactManifest?> LoadAsync(ModelKey key, CancellationToken cancellationToken) =>
            Task.FromResult(ManifestFile.Load(VerifyCommand.ManifestOf(directory)) is ManifestLoad.Loaded loaded ? loaded.Document.Manifest : null);

        public Task SaveAsync(ModelKey key, ArtifactManifest manifest)
        {
            ManifestFile.Save(VerifyCommand.ManifestOf(manifest.Source.StoragePath), manifest);
            return Task.CompletedTask;
        }

        public Task DeleteAsync(ModelKey key) => Task.CompletedTask;
    }

    /// <summary>No node, no report.</summary>
    private sealed class NoRecords : IArtifactRecords
    {
        public Task<NodeReport?> ReadAsync(CancellationToken cancellationToken) => Task.FromResult<NodeReport?>(null);

        public Task<bool> AddChildAsync(string parentKey, string path, CancellationToken cancellationToken) => Task.FromResult(true);

        public Task<bool> RemoveChildAsync(string parentKey, string path, CancellationToken cancellationToken) => Task.FromResult(true);
    }

    private sealed class Lines(CliConsole console) : IProgress<StagingProgress>
    {
        public void Report(StagingProgress value) => console.Error.WriteLine(value.TotalBytes == 0
            ? $"{value.Phase}"
            : $"{value.Phase}: {value.CompletedFiles} of {value.TotalFiles} files, {ByteText.Format(value.CompletedBytes)} of {ByteText.Format(value.TotalBytes)}, {ByteText.Format((long)value.BytesPerSecond)}/s");
    }
}
