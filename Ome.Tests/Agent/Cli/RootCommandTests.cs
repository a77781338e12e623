using Ome.Agent.Cli;
using Ome.Shared;

namespace Ome.Tests.Agent.Cli;

/// <summary>What the binary says of itself.</summary>
public sealed class RootCommandTests
{
    [Test]
    public async Task Version_names_the_build_and_where_the_KubeOps_API_comes_from()
    {
        using var output = new StringWriter();
        var console = new CliConsole(output, TextWriter.Null, OutIsTerminal: false, ErrorIsTerminal: false);
        var root = CommandLineApp.CreateRoot(console, TimeProvider.System);

        (await CommandLineApp.RunAsync(root, ["--version"], console, CancellationToken.None)).Should().Be(0);

        output.ToString().Trim().Should().Be($"ome-agent {BuildInfo.Current}").And.MatchRegex(@"^ome-agent \d+\.\d+\.\d+\S* \(commit \w+, KubeOps \d+\.\d+\.\d+ (local|package)\)$");
    }
}
