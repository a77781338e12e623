using System.Diagnostics;
using System.Text.RegularExpressions;
using Ome.Tests.Architecture;

namespace Ome.Tests.Flow;

/// <summary>
/// The whole flow as processes over HTTP: control plane with RBAC enforced from config/rbac, operator, three agents, hub, real files. The demo ends with 0
/// only when it saw every step; this runs the very command the README names.
/// </summary>
public sealed class DemoTests
{
    [Test]
    [CancelAfter(240_000)]
    public async Task The_demo_observes_damage_withdrawal_and_readmission(CancellationToken token)
    {
        var (code, output) = await RunAsync(["demo", "--configuration", Configuration], token);

        TestContext.Out.WriteLine(output);
        code.Should().Be(0, output);
        output.Should().Contain("Everything was observed.");
        // From a real agent to the model and back, for each of three kinds of damage.
        foreach (var reason in new[] { "FileMissing", "SizeMismatch", "DigestMismatch" }) output.Should().Contain($"the model's condition says {reason} and names the file");
        string[] observed =
        [
            "the model's status moves the node to nodesFailed", "kubectl get clusterbasemodel shows one node less and names it", "an Event names it",
            "the model's status lists the node as ready", "the model's condition is well again", "kubectl get clusterbasemodel shows all nodes", "an Event tells of it",
        ];
        foreach (var step in observed) Regex.Count(output, Regex.Escape("✓ " + step)).Should().Be(3, step);
    }

    [TestCase("--agents 1", "--agents: got 1, need 2 to 9.")]
    [TestCase("--model /nowhere", "--model: '/nowhere' is no directory with a .safetensors file.")]
    [CancelAfter(30_000)]
    public async Task A_wrong_option_is_named_with_what_is_allowed(string arguments, string message, CancellationToken token)
    {
        var (code, output) = await RunAsync(["demo", .. arguments.Split(' ')], token);

        code.Should().Be(2);
        output.Should().Contain(message);
    }

    private static string Configuration => AppContext.BaseDirectory.Contains("/Debug/", StringComparison.Ordinal) ? "Debug" : "Release";

    private static async Task<(int Code, string Output)> RunAsync(string[] arguments, CancellationToken cancellationToken)
    {
        var root = RepositoryTests.RepositoryRoot();
        var assembly = Path.Combine(root, "Ome.LocalCluster/bin", Configuration, "net10.0/ome-local-cluster.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [assembly, .. arguments])
        {
            WorkingDirectory = root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return (process.ExitCode, await output + await error);
    }
}
