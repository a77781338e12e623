using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Ome.Tests.Support;

/// <summary>What a program said until it ended.</summary>
internal sealed partial record CommandRun(int Code, string Output, string Error)
{
    public static async Task<CommandRun> OfAsync(string program, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return new CommandRun(process.ExitCode, await output, await error);
    }

    /// <summary>Without what no two runs have in common: seconds and rates.</summary>
    public CommandRun WithoutTimes() => this with { Output = Times().Replace(Output, "?") };

    [GeneratedRegex(@"[0-9.,]+ [KMGT]?i?B/s|[0-9.]+ m?s\b|""seconds"":\s*[0-9.e-]+", RegexOptions.None, 1000)]
    private static partial Regex Times();
}
