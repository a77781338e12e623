using System.Diagnostics;
using Ome.Tests.Architecture;

namespace Ome.Tests.Support;

/// <summary>
/// Runs a script on a real client from npm. <c>make test</c> installs the clients once, into <c>artifacts/npm</c>; the scripts themselves talk to loopback only.
/// </summary>
internal static class NpmClient
{
    /// <summary>What the script wrote, once it succeeded; the test fails with all that it said when it did not, and is ignored without the package.</summary>
    /// <param name="package">The client.</param>
    /// <param name="name">Of the script: <c>.mjs</c> or <c>.cjs</c>.</param>
    /// <param name="script">Its text.</param>
    /// <param name="arguments">What it finds in <c>process.argv</c>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<string> RunAsync(string package, string name, string script, string[] arguments, CancellationToken cancellationToken)
    {
        var installed = Path.Combine(RepositoryTests.RepositoryRoot(), "artifacts", "npm");
        var modules = Path.Combine(installed, "node_modules");
        if (!Directory.Exists(Path.Combine(modules, package))) Assert.Ignore($"{package} is not installed: {WhyNot(Path.Combine(installed, "why-not"))}");
        using var directory = new TempDirectory();
        Directory.CreateSymbolicLink(directory["node_modules"], modules);
        await File.WriteAllTextAsync(directory[name], script, cancellationToken);
        var start = new ProcessStartInfo("node", [directory[name], .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["NO_PROXY"] = start.Environment["no_proxy"] = "127.0.0.1";
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
        await process.WaitForExitAsync(cancellationToken);
        process.ExitCode.Should().Be(0, $"{package} said: {await output}{await error}");
        return await output;
    }

    private static string WhyNot(string file) => File.Exists(file) ? string.Join(' ', File.ReadLines(file).Take(20)).Trim() : "run make clients, which needs npm";
}
