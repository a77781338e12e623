using System.Diagnostics;
using System.Security.Cryptography;

namespace Ome.Tests.Agent.Cli;

/// <summary>Files of digests as ground truth: those of sha256sum and md5sum, found or given, good and bad.</summary>
[CancelAfter(180_000)]
public sealed class VerifySumsTests : VerifyFixture
{
    [Test]
    public async Task Sums_of_sha256sum_and_md5sum_are_understood([Values("sha256", "md5", "bsd")] string form, CancellationToken token)
    {
        var sums = Path.Combine(Tree.Base, "sums");
        File.WriteAllLines(sums, Directory.GetFiles(Tree.Root, "*", SearchOption.AllDirectories).Select(file => SumsLine(form, file)));

        (await RunAsync(token, "verify", Tree.Root, "--sums", sums)).Exit.Should().Be(0);

        Tree.Damage(Shard, 3, value => (byte)(value ^ 1));
        var (exit, output, _) = await RunAsync(token, "verify", Tree.Root, "--sums", sums);
        exit.Should().Be(1);
        output.Should().Contain($"DigestMismatch: {Shard}");

        File.Delete(Tree.PathOf(Shard));
        (await RunAsync(token, "verify", Tree.Root, "--sums", sums)).Output.Should().Contain($"FileMissing: {Shard}");
    }

    [Test]
    public async Task Absolute_paths_below_the_directory_count_and_no_others(CancellationToken token)
    {
        var (sums, line) = (Path.Combine(Tree.Base, "sums"), SumsLine("sha256", Tree.PathOf(Shard)));
        File.WriteAllText(sums, $"{line[..64]}  {Tree.PathOf(Shard)}\n");
        (await RunAsync(token, "verify", Tree.Root, "--sums", sums)).Exit.Should().Be(0);

        File.WriteAllText(sums, $"{line[..64]}  {Tree.Root}-other/{Shard}\n");
        var (exit, _, error) = await RunAsync(token, "verify", Tree.Root, "--sums", sums);
        exit.Should().Be(2);
        error.Should().Contain("is refused: it is absolute");
    }

    [Test]
    public async Task Sums_may_come_through_a_pipe_and_a_manifest_may_not(CancellationToken token)
    {
        var pipe = Path.Combine(Tree.Base, "pipe");
        await MakePipeAsync(pipe, token);

        // Opening a pipe waits for the other end, on the thread that opens it.
        var line = SumsLine("sha256", Tree.PathOf(Shard)) + "\n";
        var writing = Task.Run(() => File.WriteAllText(pipe, line), token);
        (await Task.Run(() => RunAsync(token, "verify", Tree.Root, "--sums", pipe), token)).Exit.Should().Be(0);
        await writing;

        var (exit, output, _) = await RunAsync(token, "verify", Tree.Root, "--manifest", pipe);
        exit.Should().Be(3);
        output.Should().Contain($"{pipe} could not be read: it is not a regular file");
    }

    [Test]
    public async Task A_pipe_where_ground_truth_is_looked_for_is_not_waited_for(CancellationToken token)
    {
        Directory.CreateDirectory(Tree.PathOf(".ome"));
        foreach (var (name, said) in new[] { ("SHA256SUMS", "there is nothing to compare the content with"), (".ome/manifest", "it is not a regular file") })
        {
            await MakePipeAsync(Tree.PathOf(name), token);

            var (exit, output, _) = await RunAsync(token, "verify", Tree.Root);

            exit.Should().Be(3);
            output.Should().Contain(said);
        }
    }

    [Test]
    public async Task Where_no_content_was_read_the_conclusion_says_so(CancellationToken token)
    {
        var sums = Path.Combine(Tree.Base, "sums");
        File.WriteAllText(sums, $"{new string('0', 64)}  {Shard}\n");

        (await RunAsync(token, "verify", Tree.Root, "--sums", sums, "--basic")).Output.Should().Contain("no content read");
        (await RunAsync(token, "verify", Tree.Root, "--sums", sums)).Output.Should().Contain("DigestMismatch").And.NotContain("no content read");
    }

    [Test]
    public async Task A_sums_file_in_the_directory_is_found(CancellationToken token)
    {
        File.WriteAllLines(Tree.PathOf("SHA256SUMS"), [SumsLine("sha256", Tree.PathOf(Shard))]);

        var (exit, output, _) = await RunAsync(token, "verify", Tree.Root);

        exit.Should().Be(0);
        output.Should().Contain("SHA256SUMS").And.Contain("7 files without ground truth");
    }

    [TestCase("zz  file", "line 1: 'zz' is neither SHA-256 (64 hex digits) nor MD5 (32)")]
    [TestCase("# only a comment", "lists no files")]
    [TestCase("d41d8cd98f00b204e9800998ecf8427e  ../../etc/passwd", "line 1: the path '../../etc/passwd' is refused: it has a segment '..'")]
    [TestCase("nonsense", "line 1: it is not 'HEX  PATH'")]
    public async Task A_sums_file_that_cannot_be_read_names_the_line(string line, string message)
    {
        var sums = Path.Combine(Tree.Base, "sums");
        File.WriteAllText(sums, line + "\n");

        var (exit, _, error) = await RunAsync(CancellationToken.None, "verify", Tree.Root, "--sums", sums);

        exit.Should().Be(2);
        error.Should().Contain(message);
    }

    [Test]
    public async Task Sums_written_on_another_system_are_understood(CancellationToken token)
    {
        var sums = Path.Combine(Tree.Base, "sums");
        var line = SumsLine("sha256", Tree.PathOf(Shard));
        File.WriteAllText(sums, "\uFEFF" + line.ToUpperInvariant()[..64] + " *" + line[66..] + "\r\n");

        (await RunAsync(token, "verify", Tree.Root, "--sums", sums)).Exit.Should().Be(0);
    }

    private static async Task MakePipeAsync(string path, CancellationToken token)
    {
        using var made = Process.Start("mkfifo", [path]);
        await made.WaitForExitAsync(token);
        made.ExitCode.Should().Be(0);
    }

    private string SumsLine(string form, string file)
    {
        var path = Path.GetRelativePath(Tree.Root, file);
        using var stream = File.OpenRead(file);
        return form switch
        {
            "md5" => $"{Convert.ToHexStringLower(MD5.HashData(stream))} *./{path}",
            "bsd" => $"SHA256 ({path}) = {Convert.ToHexStringLower(SHA256.HashData(stream))}",
            _ => $"{Convert.ToHexStringLower(SHA256.HashData(stream))}  {path}",
        };
    }
}
