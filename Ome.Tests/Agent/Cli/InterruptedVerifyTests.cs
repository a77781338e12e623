using System.Diagnostics;
using System.Runtime.InteropServices;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Manifests;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Cli;

/// <summary>Ctrl-C in the middle: the process ends at once, says that it could not verify, and goes on where it stopped.</summary>
public sealed partial class InterruptedVerifyTests
{
    private const int Interrupt = 2;
    private const int Terminate = 15;

    [Test, CancelAfter(120_000)]
    public async Task An_interrupted_check_could_not_verify_and_goes_on_where_it_stopped([Values(Interrupt, Terminate)] int signal, CancellationToken token)
    {
        using var tree = new CheckedTree(populate: false);
        for (var i = 0; i < 60; i++) tree.Write($"{i:d3}.safetensors", WeightFiles.Safetensors(i, 40_000));
        var proven = await tree.ProveAsync(token);
        var document = new ManifestDocument(proven.Manifest, proven.ManifestDigest);
        var (manifest, ledger) = (Path.Combine(tree.Base, "manifest"), Path.Combine(tree.Base, "ledger"));
        ManifestFile.Save(manifest, document.Manifest);

        // A budget that would let it run for a minute: it is in the middle when the first proof is saved.
        var interrupted = await RunAsync(tree, ["--manifest", manifest, "--ledger", ledger, "--checkpoint", "1", "--limit", "40KB"], ledger, signal, token);

        interrupted.Exit.Should().Be(3, interrupted.Text);
        interrupted.Text.Should().Contain("Cancelled").And.Contain("could not verify: 60 files").And.Contain($"What was proven is in {ledger}");
        LedgerFile.TryLoad(ledger, document, out var kept, out var problem).Should().BeTrue(problem);
        var read = Enumerable.Range(0, 60).Count(entry => kept!.Proof(entry, 0).At > DateTimeOffset.UnixEpoch);
        read.Should().BeInRange(1, 59);

        var resumed = await RunAsync(tree, ["--manifest", manifest, "--ledger", ledger, "--json"], written: null, signal, token);

        resumed.Exit.Should().Be(0, resumed.Text);
        using var answer = System.Text.Json.JsonDocument.Parse(resumed.Text);
        answer.RootElement.GetProperty("bytesChecked").GetInt64().Should().BePositive().And.BeLessThan(document.Manifest.TotalBytes);
    }

    /// <summary>Runs the program; with <paramref name="written"/>, signals it once that file is there.</summary>
    private static async Task<(int Exit, string Text)> RunAsync(CheckedTree tree, string[] arguments, string? written, int signal, CancellationToken token)
    {
        using var appeared = new SemaphoreSlim(0);
        using var writes = new FileSystemWatcher(tree.Base, "ledger");
        writes.Renamed += (_, _) => appeared.Release();
        writes.EnableRaisingEvents = true;
        // A shell starts background jobs with SIGINT ignored, and that is inherited: of a test run too.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", "dotnet", Path.Combine(AppContext.BaseDirectory, "ome-agent.dll"), "verify", tree.Root, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(token), process.StandardError.ReadToEndAsync(token));
        if (written is not null)
        {
            await appeared.WaitAsync(token);
            Kill(process.Id, signal).Should().Be(0);
        }

        await process.WaitForExitAsync(token);
        return (process.ExitCode, await output + await errors);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
