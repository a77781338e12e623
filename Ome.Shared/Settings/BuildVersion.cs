using System.CommandLine;
using System.CommandLine.Invocation;

namespace Ome.Shared.Settings;

/// <summary>What <c>--version</c> prints: program, version, commit and where the KubeOps API comes from.</summary>
public static class BuildVersion
{
    /// <summary>Has the root's <c>--version</c> tell of this build.</summary>
    public static void ShowBuild(this RootCommand root, string program)
    {
        foreach (var option in root.Options.OfType<VersionOption>()) option.Action = new Print($"{program} {BuildInfo.Current}");
    }

    private sealed class Print(string line) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(line);
            return 0;
        }
    }
}
