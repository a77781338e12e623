using Ome.Agent.Cli;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Cli;

/// <summary>A model directory and the command line that looks at it.</summary>
public abstract class VerifyFixture
{
    protected const string Shard = "model-00001-of-00002.safetensors";

    private protected CheckedTree Tree { get; private set; } = null!;

    [SetUp]
    public void MakeTree() => Tree = new CheckedTree();

    [TearDown]
    public void RemoveTree() => Tree.Dispose();

    protected static async Task<(int Exit, string Output, string Error)> RunAsync(CancellationToken token, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var console = new CliConsole(output, error, OutIsTerminal: false, ErrorIsTerminal: false);
        var exit = await CommandLineApp.RunAsync(CommandLineApp.CreateRoot(console, new ImpatientTime()), args, console, token);
        return (exit, output.ToString(), error.ToString());
    }
}
