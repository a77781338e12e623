using System.CommandLine;
using Ome.Agent.Files;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Cli;

/// <summary>What <c>ome-agent verify</c> was asked for.</summary>
/// <param name="Directory">Absolute, without a slash at the end.</param>
/// <param name="Manifest">Absolute path of the manifest to compare with; null = the one in <c>DIRECTORY/.ome</c>, if any.</param>
/// <param name="Sums">Absolute path of a file that <c>sha256sum</c> or <c>md5sum</c> wrote.</param>
/// <param name="Basic">Presence and structure only.</param>
/// <param name="Digest">What content is compared by, where a manifest has both.</param>
/// <param name="FromMedium">Around the page cache.</param>
/// <param name="Ledger">Absolute path of the file in which proofs are kept, to go on after an interruption; null = none.</param>
/// <param name="CheckpointBytes">Between two savings of it.</param>
/// <param name="WriteManifest">Keep a manifest when all is well.</param>
/// <param name="Json">One JSON object instead of text.</param>
internal sealed record VerifyOptions(string Directory, string? Manifest, string? Sums, bool Basic, PassDigest Digest, bool FromMedium, string? Ledger, long CheckpointBytes, bool WriteManifest, bool Json);

/// <summary><c>ome-agent verify DIR</c>.</summary>
internal static class VerifyCommand
{
    private const string Help = """
        Verify the files of a model directory. No cluster and no network needed.

        What the files are compared with, the first there is:
          --manifest FILE or --sums FILE, when given
          DIR/.ome/manifest, as 'ome-agent manifest create DIR' writes it
          what Hugging Face's client left: blob names in its cache, .cache/huggingface/download/*.metadata
          SHA256SUMS or MD5SUMS in DIR
          nothing: then only the structure of weights, indexes and configurations can be checked

        Exit code: 0 intact, 1 damaged, 2 usage, 3 could not verify.
        """;

    public static Command Create(CliConsole console, TimeProvider time)
    {
        var directory = new Argument<string>("DIR") { Description = "directory of the model's files" };
        var manifest = new Option<string?>("--manifest") { Description = "manifest to compare with", HelpName = "FILE" };
        var sums = new Option<string?>("--sums") { Description = "file of digests as sha256sum or md5sum writes it", HelpName = "FILE" };
        var basic = new Option<bool>("--basic") { Description = "presence, sizes, stamps and structure only; content of files whose stamp changed" };
        var deep = new Option<bool>("--deep") { Description = "every byte (the default)" };
        var digest = new Option<string>("--digest") { Description = "compare content by xxh128 (finds accidents) or sha256 (also forgery)", DefaultValueFactory = _ => "xxh128" };
        var medium = new Option<bool>("--medium") { Description = "read from the medium (O_DIRECT) also what the page cache holds" };
        var ledger = new Option<string?>("--ledger") { Description = "keep in FILE what is proven, and go on there after an interruption", HelpName = "FILE" };
        var checkpoint = EngineFlags.Bytes("--checkpoint", "bytes proven between two savings of the ledger", 1L << 30);
        var write = new Option<bool>("--write-manifest") { Description = "when all is well, keep a manifest in DIR/.ome" };
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        digest.CompletionSources.Add("xxh128", "sha256");
        digest.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text and not ("xxh128" or "sha256") }]) result.AddError($"--digest is '{text}': it must be xxh128 or sha256");
        });
        var command = new Command("verify", Help) { directory, manifest, sums, basic, deep, digest, medium, ledger, checkpoint, write, json };
        var engine = new EngineFlags(command);
        command.Validators.Add(result =>
        {
            if (Given(basic) && Given(deep)) result.AddError("--basic and --deep exclude each other: give one of them");
            if (Given(manifest) && Given(sums)) result.AddError("--manifest and --sums exclude each other: give one of them");
            if (Given(basic) && Given(write)) result.AddError("--write-manifest needs every byte read: leave out --basic");
            bool Given(Option option) => result.GetResult(option) is { Implicit: false };
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new VerifyOptions(
                DirectoryPath(parsed.GetValue(directory)!), FullPath(parsed.GetValue(manifest)), FullPath(parsed.GetValue(sums)), parsed.GetValue(basic),
                parsed.GetValue(digest) == "sha256" ? PassDigest.Sha256 : PassDigest.Xxh128, parsed.GetValue(medium), FullPath(parsed.GetValue(ledger)),
                parsed.GetValue(checkpoint), parsed.GetValue(write), parsed.GetValue(json));
            var (reader, budget) = engine.Open(parsed, time);
            using (budget)
            using (reader)
            {
                return await new VerifyAction(options, reader, console, time).RunAsync(cancellationToken);
            }
        });
        return command;
    }

    /// <summary>The path a user typed, absolute and without a slash at its end.</summary>
    public static string DirectoryPath(string text) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(text));

    private static string? FullPath(string? text) => text is null ? null : Path.GetFullPath(text);

    /// <summary>Between seeing that something is gone and believing it: as long as the agent's (docs/designs/0001).</summary>
    public static readonly TimeSpan SettleDelay = TimeSpan.FromMilliseconds(300);

    /// <summary>Why a path cannot be the directory to look at; null when it can.</summary>
    public static string? ProblemOf(string directory) =>
        Directory.Exists(directory) ? null
        : File.Exists(directory) ? $"DIR is '{directory}', a file: give the directory it lies in"
        : $"DIR is '{directory}': there is no such directory";

    /// <summary>Said before gigabytes are read, not after.</summary>
    public static string? ObstacleToManifest(string path) =>
        AtomicFile.ObstacleTo(path) is { } obstacle ? $"the manifest cannot be written to {path}: {obstacle}; 'ome-agent manifest create DIR -o FILE' puts it elsewhere" : null;

    /// <summary>Where a directory's own manifest lies.</summary>
    public static string ManifestOf(string directory) => Path.Combine(directory, ".ome", ManifestFile.FileName);
}
