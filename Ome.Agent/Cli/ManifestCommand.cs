using System.CommandLine;
using Ome.Agent.Verification;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Cli;

/// <summary><c>ome-agent manifest create|show</c>.</summary>
internal static class ManifestCommand
{
    public static Command Create(CliConsole console, TimeProvider time) =>
        new("manifest", "Take or show the manifest of a model directory.") { CreateCreate(console, time), CreateShow(console) };

    private static Command CreateCreate(CliConsole console, TimeProvider time)
    {
        var directory = new Argument<string>("DIR") { Description = "directory of the model's files" };
        var output = new Option<string?>("--output", "-o") { Description = "where to write it [default: DIR/.ome/manifest]", HelpName = "FILE" };
        var source = new Option<string?>("--source") { Description = "storage URI to note as the source [default: local://DIR]", HelpName = "URI" };
        var sums = new Option<string?>("--sums") { Description = "file of digests the content must have", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command(
            "create",
            "Read every file once and write down its digests. Files that Hugging Face's client or --sums vouch for must match; nothing is written when one does not.")
        {
            directory, output, source, sums, json,
        };
        var engine = new EngineFlags(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var path = VerifyCommand.DirectoryPath(parsed.GetValue(directory)!);
            if (VerifyCommand.ProblemOf(path) is { } wrong) return await UsageAsync(console, wrong);
            var (truth, problem) = parsed.GetValue(sums) is { } file ? SumsFile.Load(Path.GetFullPath(file), path) : (GroundTruth.None, null);
            if (problem is not null) return await UsageAsync(console, problem);
            var target = parsed.GetValue(output) is { } given ? Path.GetFullPath(given) : VerifyCommand.ManifestOf(path);
            if (VerifyCommand.ObstacleToManifest(target) is { } obstacle) return await UsageAsync(console, obstacle);
            var request = new BuildRequest(path, HuggingFaceTruth.CacheOf(path), new SourceIdentity(parsed.GetValue(source) ?? "local://" + path, path, null), truth!)
            {
                SettleDelay = VerifyCommand.SettleDelay,
            };
            var (reader, budget) = engine.Open(parsed, time);
            using (budget)
            using (reader)
            {
                return await WriteAsync(request, target, parsed.GetValue(json), reader, console, time, cancellationToken);
            }
        });
        return command;
    }

    private static async Task<int> WriteAsync(
        BuildRequest request, string target, bool json, ReadEngine engine, CliConsole console, TimeProvider time, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var build = await new ProgressReport(console, engine, time).RunAsync(
            request.Root, progress => new ManifestBuilder(engine, time).BuildAsync(request with { Progress = progress }, cancellationToken));
        var acceptable = build.IsAcceptable;
        if (acceptable) ManifestFile.Save(target, build.Manifest!);
        await new CheckOutput(console, json).PrintAsync(new CheckSummary(build.Verdict, build.Files == 0 ? null : build.Truth.Name)
        {
            Trust = build.Manifest?.Trust ?? ManifestTrust.Local,
            FilesChecked = build.Files,
            BytesChecked = build.Bytes,
            Route = build.Route,
            Duration = time.GetElapsedTime(started),
            Unlisted = build.Unlisted,
            Skipped = build.Skipped,
            Written = acceptable ? target : null,
            Hint = !acceptable ? "No manifest was written."
                : build.Verdict.Result == CheckResult.Invalid ? "The findings above are noted as the baseline: later checks will not count them as damage."
                : null,
        });
        return acceptable ? ExitCode.Intact : ExitCode.Of(build.Verdict.Result);
    }

    private static Command CreateShow(CliConsole console)
    {
        var path = new Argument<string>("PATH") { Description = "a manifest, or a directory that has one in .ome" };
        var command = new Command("show", "Show what a manifest says.") { path };
        command.SetAction(async (parsed, _) =>
        {
            var file = Path.GetFullPath(parsed.GetValue(path)!);
            if (Directory.Exists(file)) file = VerifyCommand.ManifestOf(VerifyCommand.DirectoryPath(file));
            var load = ManifestFile.Load(file);
            if (load is ManifestLoad.Loaded { Document: var document })
            {
                Show(document, console);
                return ExitCode.Intact;
            }

            var unusable = (ManifestLoad.Unusable)load;
            await console.Error.WriteLineAsync($"ome-agent: {CliConsole.Plain(unusable.Message)}");
            if (unusable.Reason == FindingReason.ManifestMissing) await console.Error.WriteLineAsync("Take one: ome-agent manifest create DIR");
            return ExitCode.CouldNotVerify;
        });
        return command;
    }

    private static void Show(ManifestDocument document, CliConsole console)
    {
        var manifest = document.Manifest;
        console.Out.WriteLine($"source    {CliConsole.Plain(manifest.Source.StorageUri)}{(manifest.Source.Revision is { } revision ? " @ " + CliConsole.Plain(revision) : "")}");
        console.Out.WriteLine($"path      {CliConsole.Plain(manifest.Source.StoragePath)}");
        console.Out.WriteLine($"trust     {(manifest.Trust == ManifestTrust.Upstream ? "upstream" : "local (trust on first use)")}");
        console.Out.WriteLine($"created   {manifest.CreatedAt:yyyy-MM-dd HH:mm:ss} UTC");
        console.Out.WriteLine($"digest    sha256:{document.Digest}");
        console.Out.WriteLine($"content   {manifest.Entries.Length} files, {ByteText.Format(manifest.TotalBytes)}, chunks of {ByteText.Format(manifest.ChunkBytes)}");
        // The form sha256sum -c reads.
        foreach (var entry in manifest.Entries) console.Out.WriteLine($"{entry.Sha256?.Hex ?? new string('-', 64)}  {CliConsole.Plain(entry.Path.Value)}");
    }

    private static async Task<int> UsageAsync(CliConsole console, string message)
    {
        await console.Error.WriteLineAsync($"ome-agent: {CliConsole.Plain(message)}");
        return ExitCode.Usage;
    }
}
