using System.Security.Cryptography;
using System.Text.Json;
using Ome.Agent.Cli;
using Ome.Agent.Files;
using Ome.Agent.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Cli;

/// <summary><c>verify</c> and <c>manifest</c> as a user meets them: exit codes, output, ground truth, bad input.</summary>
[CancelAfter(180_000)]
public sealed class VerifyCommandTests : VerifyFixture
{
    [Test]
    public async Task A_directory_without_ground_truth_could_not_be_verified_and_is_told_the_remedy(CancellationToken token)
    {
        var (exit, output, error) = await RunAsync(token, "verify", Tree.Root);

        exit.Should().Be(3);
        output.Should().Contain("ManifestMissing").And.Contain("could not verify: 7 files, structure only");
        error.Should().Contain($"ome-agent manifest create {Tree.Root}");
    }

    [Test]
    public async Task A_manifest_that_was_created_is_found_and_compared_with(CancellationToken token)
    {
        (await RunAsync(token, "manifest", "create", Tree.Root)).Exit.Should().Be(0);
        File.Exists(Path.Combine(Tree.Root, ".ome", "manifest")).Should().BeTrue();

        var (intact, output, _) = await RunAsync(token, "verify", Tree.Root);
        intact.Should().Be(0);
        output.Should().StartWith("intact: 7 files").And.Contain("compared with manifest (trust on first use)");

        Tree.Damage(Shard, 20_000, value => (byte)~value);
        var (damaged, findings, _) = await RunAsync(token, "verify", Tree.Root);
        damaged.Should().Be(1);
        findings.Should().Contain($"DigestMismatch: {Shard}, expected sha256:").And.Contain("at byte 0 (chunk 0 of 1)").And.Contain("DAMAGED: 7 files");
    }

    [Test]
    public async Task Json_is_one_object_with_the_promised_members(CancellationToken token)
    {
        await RunAsync(token, "manifest", "create", Tree.Root);
        File.Delete(Tree.PathOf("config.json"));

        var (exit, output, _) = await RunAsync(token, "verify", "--json", "--basic", Tree.Root);

        exit.Should().Be(1);
        var json = JsonDocument.Parse(output).RootElement;
        json.GetProperty("result").GetString().Should().Be("Invalid");
        json.GetProperty("reason").GetString().Should().Be("FileMissing");
        json.GetProperty("filesChecked").GetInt32().Should().Be(7);
        json.GetProperty("bytesChecked").GetInt64().Should().Be(0);
        json.GetProperty("readPath").ValueKind.Should().Be(JsonValueKind.Null);
        json.GetProperty("seconds").GetDouble().Should().BeGreaterThan(0);
        var finding = json.GetProperty("findings").EnumerateArray().Should().ContainSingle().Subject;
        finding.GetProperty("path").GetString().Should().Be("config.json");
        finding.GetProperty("reason").GetString().Should().Be("FileMissing");
        finding.EnumerateObject().Select(member => member.Name).Should().Equal("path", "reason", "expected", "actual", "offset");
        json.EnumerateObject().Select(member => member.Name).Should().Equal("result", "reason", "findings", "filesChecked", "bytesChecked", "readPath", "seconds");
    }

    [Test]
    public async Task A_snapshot_in_the_hub_cache_is_verified_by_its_blob_names(CancellationToken token)
    {
        var repository = Path.Combine(Tree.Base, "models--acme--tiny");
        var (snapshot, blob) = MakeCache(repository);

        var (intact, output, _) = await RunAsync(token, "verify", snapshot);
        intact.Should().Be(0, output);
        output.Should().Contain("compared with Hugging Face cache").And.NotContain("trust on first use");

        using (var stream = new FileStream(blob, FileMode.Open, FileAccess.Write)) stream.WriteByte(9);
        var (damaged, findings, _) = await RunAsync(token, "verify", snapshot);
        damaged.Should().Be(1);
        findings.Should().Contain("DigestMismatch: model.safetensors, expected sha256:" + Path.GetFileName(blob));

        File.Delete(blob);
        (await RunAsync(token, "verify", snapshot)).Output.Should().Contain("LinkInvalid: model.safetensors");
    }

    [Test]
    public async Task A_local_download_is_verified_by_its_metadata(CancellationToken token)
    {
        var sha256 = CheckedTree.Sha256Of(Tree.PathOf(Shard));
        var later = TimeProvider.System.GetUtcNow().AddSeconds(100).ToUnixTimeSeconds();
        Tree.Write($".cache/huggingface/download/{Shard}.metadata", $"0123456789abcdef0123456789abcdef01234567\n{sha256}\n{later}.5\n");
        Tree.Write(".cache/huggingface/download/config.json.metadata", $"0123456789abcdef0123456789abcdef01234567\n{GitBlobOf("config.json")}\n{later}.5\n");

        var (intact, output, _) = await RunAsync(token, "verify", Tree.Root);
        intact.Should().Be(0, output);
        output.Should().Contain("Hugging Face download metadata").And.Contain("5 files without ground truth");

        Tree.Damage("config.json", 0, value => (byte)(value ^ 1));
        (await RunAsync(token, "verify", Tree.Root)).Output.Should().Contain("DigestMismatch: config.json, expected git-sha1:");
    }

    [Test]
    public async Task A_manifest_keeps_upstream_trust(CancellationToken token)
    {
        var (snapshot, _) = MakeCache(Path.Combine(Tree.Base, "models--acme--tiny"));

        (await RunAsync(token, "verify", snapshot, "--write-manifest")).Output.Should().Contain("manifest written to");

        (await RunAsync(token, "verify", snapshot)).Output.Should().Contain("compared with manifest").And.NotContain("trust on first use");
        (await RunAsync(token, "manifest", "show", snapshot)).Output.Should().Contain("trust     upstream").And.Contain("source    local://").And.Contain("@ 0123456789abcdef");
    }

    [Test]
    public async Task A_manifest_that_contradicts_its_ground_truth_is_not_written(CancellationToken token)
    {
        var (snapshot, blob) = MakeCache(Path.Combine(Tree.Base, "models--acme--tiny"));
        using (var stream = new FileStream(blob, FileMode.Open, FileAccess.Write)) stream.WriteByte(9);

        (await RunAsync(token, "manifest", "create", snapshot)).Exit.Should().Be(1);

        File.Exists(Path.Combine(snapshot, ".ome", "manifest")).Should().BeFalse();
    }

    [Test]
    public async Task Broken_structure_without_ground_truth_is_damage_and_as_a_baseline_it_is_not(CancellationToken token)
    {
        using (var shard = new FileStream(Tree.PathOf(Shard), FileMode.Open)) shard.SetLength(30_000);
        File.Delete(Tree.PathOf("model-00002-of-00002.safetensors"));

        var (exit, output, _) = await RunAsync(token, "verify", Tree.Root);
        exit.Should().Be(1);
        output.Should().Contain($"StructureInvalid: {Shard}").And.Contain("IndexIncomplete: model.safetensors.index.json");

        (await RunAsync(token, "manifest", "create", Tree.Root)).Exit.Should().Be(0);
        (await RunAsync(token, "verify", Tree.Root)).Exit.Should().Be(0);
    }

    [Test]
    public async Task A_broken_manifest_could_not_verify(CancellationToken token)
    {
        await RunAsync(token, "manifest", "create", Tree.Root);
        var path = Path.Combine(Tree.Root, ".ome", "manifest");
        using (var stream = new FileStream(path, FileMode.Open)) stream.SetLength(stream.Length - 1);

        var (exit, output, error) = await RunAsync(token, "verify", Tree.Root);

        exit.Should().Be(3);
        output.Should().Contain("ManifestInvalid");
        error.Should().Contain("take a new one from files you trust");
    }

    [TestCase(new[] { "verify" }, "Required argument 'DIR' missing")]
    [TestCase(new[] { "verify", "DIR/config.json" }, "config.json', a file: give the directory it lies in")]
    [TestCase(new[] { "verify", "DIR", "--manifest" }, "Required argument missing for option: '--manifest'")]
    [TestCase(new[] { "verify", "DIR", "--ledger", "DIR" }, "which cannot be written: it is a directory")]
    [TestCase(new[] { "verify", "DIR", "--sums", "DIR" }, "is a directory: give the file of digests")]
    [TestCase(new[] { "verify", "DIR", "--basic", "--write-manifest" }, "--write-manifest needs every byte read: leave out --basic")]
    [TestCase(new[] { "manifest", "create", "DIR/config.json" }, "a file: give the directory it lies in")]
    [TestCase(new[] { "manifest", "create", "DIR", "-o", "DIR/config.json/manifest" }, "the manifest cannot be written to")]
    [TestCase(new[] { "verify", "/no/such/directory" }, "there is no such directory")]
    [TestCase(new[] { "verify", "DIR", "--basic", "--deep" }, "--basic and --deep exclude each other")]
    [TestCase(new[] { "verify", "DIR", "--manifest", "/no/such/file" }, "--manifest is '/no/such/file': there is no such file")]
    [TestCase(new[] { "verify", "DIR", "--sums", "/no/such/file" }, "'/no/such/file' does not exist")]
    [TestCase(new[] { "verify", "DIR", "--limit", "fast" }, "--limit is 'fast': it must be a byte count")]
    [TestCase(new[] { "verify", "DIR", "--jobs", "1000" }, "--jobs is '1000': it must be from 0 to 256")]
    [TestCase(new[] { "verify", "DIR", "--digest", "crc" }, "--digest is 'crc': it must be xxh128 or sha256")]
    [TestCase(new[] { "verify", "" }, "DIR is empty: is a variable not set?")]
    [TestCase(new[] { "verify", "DIR", "--manifest", "" }, "--manifest is empty: is a variable not set?")]
    [TestCase(new[] { "manifest", "create", "" }, "DIR is empty: is a variable not set?")]
    [TestCase(new[] { "manifest", "create", "DIR", "-o", "" }, "--output is empty: is a variable not set?")]
    [TestCase(new[] { "manifest", "show", "" }, "PATH is empty: is a variable not set?")]
    [TestCase(new[] { "frobnicate" }, "frobnicate")]
    public async Task A_command_line_that_cannot_be_understood_is_usage_and_names_the_problem(string[] args, string message)
    {
        var (exit, output, error) = await RunAsync(CancellationToken.None, [.. args.Select(arg => arg.StartsWith("DIR", StringComparison.Ordinal) ? Tree.Root + arg[3..] : arg)]);

        exit.Should().Be(2);
        error.Should().Contain(message);
        output.Should().BeEmpty();
    }

    [Test]
    public async Task A_local_directory_is_staged_with_what_breaks_its_own_format_as_the_baseline(CancellationToken token)
    {
        Tree.Write(Shard, "no header, no tensors");
        // Nobody has written to it for long.
        foreach (var file in Directory.EnumerateFiles(Tree.Root, "*", SearchOption.AllDirectories)) File.SetLastWriteTimeUtc(file, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        var (exit, _, error) = await RunAsync(token, "stage", "local://" + Tree.Root, Tree.Root);

        exit.Should().Be(0, error);
        var manifest = ManifestFile.Load(VerifyCommand.ManifestOf(Tree.Root)).Should().BeOfType<ManifestLoad.Loaded>().Which.Document.Manifest;
        manifest.Entries.Where(entry => !entry.Baseline.IsEmpty).Select(entry => entry.Path.Value).Should().Equal(Shard);
    }

    [Test]
    public async Task A_directory_without_files_is_said_to_be_one(CancellationToken token)
    {
        var empty = Directory.CreateDirectory(Path.Combine(Tree.Base, "empty")).FullName;

        foreach (var command in new[] { new[] { "verify", empty }, ["manifest", "create", empty] })
        {
            var (exit, output, _) = await RunAsync(token, command);
            exit.Should().Be(3);
            output.Should().Be($"ManifestMissing: the directory holds no files{Environment.NewLine}could not verify: 0 files{Environment.NewLine}");
        }
    }

    [Test]
    public async Task A_ledger_of_something_else_is_said_to_be_of_no_use(CancellationToken token)
    {
        await RunAsync(token, "manifest", "create", Tree.Root);
        var ledger = Path.Combine(Tree.Base, "ledger");
        File.WriteAllText(ledger, "not a ledger");

        var (exit, _, error) = await RunAsync(token, "verify", Tree.Root, "--ledger", ledger);

        exit.Should().Be(0);
        error.Should().Contain("The ledger is not used, every byte is read: " + ledger);
        (await RunAsync(token, "verify", Tree.Root, "--ledger", ledger)).Error.Should().BeEmpty("a good one took its place");
    }

    [Test]
    public async Task An_answer_that_cannot_be_written_is_no_answer_about_the_files(CancellationToken token)
    {
        await RunAsync(token, "manifest", "create", Tree.Root);
        using var error = new StringWriter();
        await using var full = new StreamWriter(new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0)) { AutoFlush = true };
        var console = new CliConsole(full, error, OutIsTerminal: false, ErrorIsTerminal: false);

        (await CommandLineApp.RunAsync(CommandLineApp.CreateRoot(console, new ImpatientTime()), ["verify", Tree.Root], console, token)).Should().Be(3);

        error.ToString().Should().StartWith("ome-agent: No space left on device");
    }

    [Test]
    public async Task Each_finding_is_one_line_and_the_conclusion_is_the_last(CancellationToken token)
    {
        await RunAsync(token, "manifest", "create", Tree.Root);
        File.Delete(Tree.PathOf("config.json"));
        Tree.Damage(Shard, 20_000, value => (byte)~value);

        var (_, output, _) = await RunAsync(token, "verify", Tree.Root);

        var lines = output.TrimEnd().Split(Environment.NewLine);
        lines.Should().HaveCount(3);
        lines[..2].Order().Should().SatisfyRespectively(first => first.Should().StartWith($"DigestMismatch: {Shard}"), second => second.Should().StartWith("FileMissing: config.json"));
        lines[2].Should().StartWith("DAMAGED: 7 files");
    }

    [Test]
    public void Escape_sequences_in_names_do_not_reach_the_terminal() =>
        CliConsole.Plain("a\u001b[2Jb\u202Ec\nd").Should().Be("a\uFFFD[2Jb\uFFFDc\uFFFDd");

    private (string Snapshot, string Blob) MakeCache(string repository)
    {
        var snapshot = Path.Combine(repository, "snapshots", "0123456789abcdef");
        Directory.CreateDirectory(snapshot);
        Directory.CreateDirectory(Path.Combine(repository, "blobs"));
        var sha256 = CheckedTree.Sha256Of(Tree.PathOf(Shard));
        var git = GitBlobOf("config.json");
        File.Copy(Tree.PathOf(Shard), Path.Combine(repository, "blobs", sha256));
        File.Copy(Tree.PathOf("config.json"), Path.Combine(repository, "blobs", git));
        File.CreateSymbolicLink(Path.Combine(snapshot, "model.safetensors"), $"../../blobs/{sha256}");
        File.CreateSymbolicLink(Path.Combine(snapshot, "config.json"), $"../../blobs/{git}");
        return (snapshot, Path.Combine(repository, "blobs", sha256));
    }

    private string GitBlobOf(string name)
    {
        var bytes = AtomicFile.Read(Tree.PathOf(name), 1 << 20)!;
        return Convert.ToHexStringLower(SHA1.HashData([.. System.Text.Encoding.ASCII.GetBytes($"blob {bytes.Length}\0"), .. bytes]));
    }
}
