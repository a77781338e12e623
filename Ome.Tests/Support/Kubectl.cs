using System.Diagnostics;
using System.Text;

namespace Ome.Tests.Support;

/// <summary>The real kubectl against a control plane.</summary>
public sealed class Kubectl(string kubeconfig, string? program = null) : IDisposable
{
    // Its own discovery cache: ports are used again, and the default cache is by address.
    private readonly TempDirectory _cache = new();

    /// <summary>Every kubectl there is here, by where it was found: <c>tools</c> (<c>make tools</c> fetched it) and <c>PATH</c>.</summary>
    public static IReadOnlyDictionary<string, string> Programs { get; } = Tool.FindAll("kubectl").ToDictionary(StringComparer.Ordinal);

    /// <summary>Path of kubectl; null when there is none.</summary>
    public static string? Program { get; } = Tool.Find("kubectl");

    /// <summary>Skips the test, saying why, where there is no kubectl.</summary>
    public static void Require() => Tool.Require("kubectl");

    /// <summary>Runs a command to its end.</summary>
    /// <param name="ct">Ends the command early.</param>
    /// <param name="arguments">After <c>kubectl</c>.</param>
    public Task<KubectlResult> RunAsync(CancellationToken ct, params string[] arguments) => RunWithInputAsync("", ct, arguments);

    /// <summary>Runs a command with text on its standard input.</summary>
    public async Task<KubectlResult> RunWithInputAsync(string input, CancellationToken ct, params string[] arguments)
    {
        using var process = Start(arguments);
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), ct);
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(ct);
            var error = process.StandardError.ReadToEndAsync(ct);
            await process.WaitForExitAsync(ct);
            return new KubectlResult(string.Join(' ', arguments), process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    /// <summary>Starts a command that goes on until it is killed, such as <c>get -w</c>; the caller kills it.</summary>
    public Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(program ?? Program!, [.. arguments, "--kubeconfig", kubeconfig, "--cache-dir", _cache.Path])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            UseShellExecute = false,
        };
        // diff shows its result with the program this names; the tests read plain diff.
        start.Environment["KUBECTL_EXTERNAL_DIFF"] = "diff -u -N";
        start.Environment["NO_COLOR"] = "1";
        return Process.Start(start)!;
    }

    public void Dispose() => _cache.Dispose();
}

/// <summary>What a command did.</summary>
public sealed record KubectlResult(string Command, int ExitCode, string Output, string Error)
{
    /// <summary>The output, after a check that the command succeeded.</summary>
    public string Succeeded()
    {
        ExitCode.Should().Be(0, "kubectl {0} said {1}{2}", Command, Output, Error);
        return Output;
    }
}
