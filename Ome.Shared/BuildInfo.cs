using System.Reflection;

namespace Ome.Shared;

/// <summary>What this build is made of: for <c>--version</c>, the start-up log and the labels of <c>ome_build_info</c>.</summary>
/// <param name="Version">e.g. <c>0.1.0</c>.</param>
/// <param name="Commit">Full commit id; <c>unknown</c> when it was built outside a git work tree.</param>
/// <param name="KubeOpsSource"><c>package</c>: the KubeOps packages; <c>local</c>: project Ome.KubeOps.</param>
/// <param name="KubeOpsVersion">Version of the packages, or the version whose API the project follows.</param>
public sealed record BuildInfo(string Version, string Commit, string KubeOpsSource, string KubeOpsVersion)
{
    private const string Unknown = "unknown";

    /// <summary>This build.</summary>
    public static BuildInfo Current { get; } = Of(typeof(BuildInfo).Assembly);

    /// <summary>One line, e.g. <c>0.1.0 (commit 12c9dbed250c, KubeOps 13.1.2 local)</c>.</summary>
    public override string ToString() => $"{Version} (commit {Commit[..Math.Min(12, Commit.Length)]}, KubeOps {KubeOpsVersion} {KubeOpsSource})";

    private static BuildInfo Of(Assembly assembly)
    {
        var version = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? Unknown;
        var metadata = assembly.GetCustomAttributes<AssemblyMetadataAttribute>().ToLookup(item => item.Key, item => item.Value, StringComparer.Ordinal);
        var plus = version.IndexOf('+', StringComparison.Ordinal);
        return new BuildInfo(
            plus < 0 ? version : version[..plus],
            plus < 0 ? Unknown : version[(plus + 1)..],
            metadata["KubeOpsSource"].FirstOrDefault() ?? Unknown,
            metadata["KubeOpsVersion"].FirstOrDefault() ?? Unknown);
    }
}
