using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Verification;

/// <summary>
/// Rot below the file system: a byte of the disk image changes while the file lies in the page cache, mapped by a reader. Hashing the file the
/// usual way must miss it, or the test proves nothing; a deep pass must find it.
/// </summary>
[CancelAfter(180_000)]
public sealed class PageCacheTruthTests
{
    private const string Model = "model.safetensors";

    [Test]
    public async Task A_deep_pass_sees_the_medium_and_not_the_page_cache(CancellationToken token)
    {
        var directory = Directory.CreateTempSubdirectory("ome-loop-").FullName;
        var (image, mount) = (Path.Combine(directory, "image"), Path.Combine(directory, "mount"));
        if (Mount(image, mount) is { } obstacle)
        {
            Directory.Delete(directory, recursive: true);
            await TestContext.Progress.WriteLineAsync($"page cache truth test skipped: {obstacle}");
            Assert.Ignore(obstacle);
        }

        using var tree = new CheckedTree(populate: false);
        try
        {
            var root = Directory.CreateDirectory(Path.Combine(mount, "model")).FullName;
            var file = Path.Combine(root, Model);
            await using (var stream = new FileStream(file, FileMode.Create)) stream.Write(WeightFiles.Safetensors(3, 12 << 20));
            Run("sync", "-f", file);
            var ledger = await tree.ProveAsync(token, root);
            using var map = MemoryMappedFile.CreateFromFile(file, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            using var view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            for (var at = 0L; at < view.Capacity; at += 4096) view.ReadByte(at);
            var before = Buffered(file);

            FlipInImage(image, marker: Slice(file, 5 << 20, 64));

            Buffered(file).Should().Be(before, "the page cache hides the damage from a buffered reader");
            var presence = await tree.CheckAsync(ledger, CheckScope.Presence, token, root);
            presence.Verdict.Result.Should().Be(CheckResult.Valid, "no stamp moved");
            var deep = await tree.CheckAsync(ledger, CheckScope.Full, token, root);

            deep.Verdict.Reason.Should().Be(FindingReason.DigestMismatch, string.Join("; ", deep.Verdict.Findings));
            deep.Route.Should().Be(ReadRoute.Direct);
            deep.Damaged.Should().ContainSingle().Which.Chunks.Should().Equal((5 << 20) / (int)CheckedTree.Chunk);
        }
        finally
        {
            Run("umount", "-l", mount);
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Null when the image is mounted; else why it cannot be here.</summary>
    private static string? Mount(string image, string mount)
    {
        if (!Environment.IsPrivilegedProcess) return "mounting needs root";
        Directory.CreateDirectory(mount);
        using (var stream = new FileStream(image, FileMode.Create)) stream.SetLength(64 << 20);
        if (Run("mkfs.ext4", "-q", "-F", image) is { } cannotMake) return $"no ext4 image: {cannotMake}";
        return Run("mount", "-o", "loop", image, mount) is { } cannotMount ? $"no loop mount: {cannotMount}" : null;
    }

    private static string? Run(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false })!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : $"{command}: {error.Trim()}";
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            return $"{command}: {missing.Message}";
        }
    }

    private static string Buffered(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private static byte[] Slice(string file, long offset, int length)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read) { Position = offset };
        var bytes = new byte[length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static void FlipInImage(string image, byte[] marker)
    {
        using var stream = new FileStream(image, FileMode.Open, FileAccess.ReadWrite);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var at = bytes.AsSpan().IndexOf(marker);
        at.Should().BePositive("the file's bytes lie somewhere in the image");
        stream.Position = at;
        stream.WriteByte((byte)(marker[0] ^ 1));
        stream.Flush(flushToDisk: true);
    }
}
