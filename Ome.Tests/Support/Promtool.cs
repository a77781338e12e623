using System.ComponentModel;
using System.Diagnostics;
using Ome.Tests.Architecture;

namespace Ome.Tests.Support;

/// <summary>Prometheus' own checker of rules.</summary>
internal static class Promtool
{
    /// <summary>Runs it in the repository's root and expects it to agree; skips the test, saying why, where it is not installed.</summary>
    public static async Task SucceedsAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        using var promtool = Start(arguments);
        var output = promtool.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = promtool.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await promtool.WaitForExitAsync(cancellationToken);
            promtool.ExitCode.Should().Be(0, "promtool {0} said {1}{2}", string.Join(' ', arguments), await output, await error);
        }
        finally
        {
            if (!promtool.HasExited) promtool.Kill();
        }
    }

    private static Process Start(string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo("promtool", arguments)
            {
                WorkingDirectory = RepositoryTests.RepositoryRoot(),
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            })!;
        }
        catch (Win32Exception)
        {
            Assert.Ignore("there is no promtool on PATH: it is in Debian's package prometheus");
            throw;
        }
    }
}
