using System.Text.RegularExpressions;
using Ome.Agent.Cli;
using Ome.Operator;
using Ome.Shared.Settings;
using Ome.Tests.Architecture;
using Ome.Tests.Support;

namespace Ome.Tests.Docs;

/// <summary>What pages tell people to type is understood by the programs, and README's commands end as README says.</summary>
public sealed partial class ReadmeCommandTests
{
    private static IEnumerable<string> Commands() => Markdown.All
        .SelectMany(static page => page.CodeLines.Concat(page.CodeSpans)).SelectMany(static code => AgentCall().Matches(code).Select(static call => call.Value.Trim()))
        .Where(static command => command.Contains(' ', StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Commands))]
    public void Every_call_of_the_agent_is_understood(string command)
    {
        var console = new CliConsole(TextWriter.Null, TextWriter.Null, false, false);
        var root = CommandLineApp.CreateRoot(console, TimeProvider.System);
        RunCommand.Configure(root, static _ => null, TextWriter.Null);

        // In a sentence a command may be named without its directory.
        var problems = root.Parse(Arguments(command, "/models")).Errors.Select(static error => error.Message)
            .Where(problem => command.Contains("DIR", StringComparison.Ordinal) || !problem.StartsWith("Required argument", StringComparison.Ordinal));

        problems.Should().BeEmpty("'{0}'", command);
    }

    [Test, CancelAfter(180_000)]
    public async Task The_readme_verify_command_ends_with_the_codes_it_lists(CancellationToken cancellationToken)
    {
        var said = ExitCodes().Match(Golden.ReadFile("README.md"));
        said.Success.Should().BeTrue();
        using var tree = new CheckedTree();

        (await RunAsync("ome-agent verify DIR", tree.Root, cancellationToken)).Should().Be(Code("could not verify"));
        (await RunAsync("ome-agent manifest create DIR", tree.Root, cancellationToken)).Should().Be(Code("intact"));
        (await RunAsync("ome-agent verify DIR", tree.Root, cancellationToken)).Should().Be(Code("intact"));
        (await RunAsync("ome-agent verify DIR --json", tree.Root, cancellationToken)).Should().Be(Code("intact"));
        tree.Damage("model-00001-of-00002.safetensors", 20_000, static value => (byte)~value);
        (await RunAsync("ome-agent verify DIR", tree.Root, cancellationToken)).Should().Be(Code("damaged"));
        (await RunAsync("ome-agent verify", tree.Root, cancellationToken)).Should().Be(Code("usage"));

        int Code(string meaning) => said.Groups["codes"].Value.Split(", ").Select(static pair => pair.Split(' ', 2)).Where(pair => pair[1] == meaning).Select(static pair => int.Parse(pair[0])).Single();
    }

    [Test]
    public void Every_project_that_is_run_exists()
    {
        var projects = Markdown.All.SelectMany(static page => page.CodeLines.Concat(page.CodeSpans)).SelectMany(static code => Project().Matches(code)).Select(static project => project.Groups["project"].Value);

        projects.Distinct().Should().NotBeEmpty().And.OnlyContain(project => File.Exists(Path.Combine(RepositoryTests.RepositoryRoot(), project, project + ".csproj")));
    }

    [Test]
    public void Every_setting_that_is_named_exists()
    {
        var known = new[] { typeof(Ome.Agent.Hosting.AgentOptions), typeof(OperatorOptions) }.SelectMany(Setting.Of).Select(static setting => "--" + setting.Flag.Name).ToHashSet(StringComparer.Ordinal);
        var named = new[] { "docs/operations.md", "docs/security.md", "docs/staging.md", "docs/operator.md" }.Concat(Markdown.All.Select(static page => page.Path).Where(static path => path.StartsWith("docs/runbooks/", StringComparison.Ordinal)))
            .SelectMany(static path => Markdown.Read(path).CodeSpans).Where(static span => span.StartsWith("--", StringComparison.Ordinal)).Select(static span => span.Split(' ', '=')[0]);

        named.Except(known).Should().BeEmpty();
    }

    private static async Task<int> RunAsync(string command, string directory, CancellationToken cancellationToken)
    {
        using var output = new StringWriter();
        var console = new CliConsole(output, output, false, false);
        return await CommandLineApp.RunAsync(CommandLineApp.CreateRoot(console, TimeProvider.System), Arguments(command, directory), console, cancellationToken);
    }

    private static string[] Arguments(string command, string directory) =>
        [.. command.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(word => word switch { "DIR" => directory, "N" => "2", _ => word })];

    // Up to where prose or a pipe begins.
    [GeneratedRegex(@"(?<![\w/.-])ome-agent [^|;`)…]*", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex AgentCall();

    [GeneratedRegex(@"ome-agent verify DIR +# exit code (?<codes>.+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ExitCodes();

    [GeneratedRegex(@"--project (?<project>\S+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Project();
}
