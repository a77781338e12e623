using System.Reflection;
using Ome.Shared;
using Ome.Tests.Architecture;

namespace Ome.Tests.KubeOpsApi;

public sealed class BuildInfoTests
{
    [Test]
    public void It_names_the_source_that_is_really_loaded()
    {
        var loaded = typeof(KubeOps.Operator.ServiceCollectionExtensions).Assembly.GetName().Name;

        BuildInfo.Current.KubeOpsSource.Should().Be(loaded == "Ome.KubeOps" ? "local" : "package");
    }

    [Test]
    public void The_version_is_that_of_the_projects_and_the_commit_is_told_apart()
    {
        var info = BuildInfo.Current;
        var informational = typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

        File.ReadLines(Path.Combine(RepositoryTests.RepositoryRoot(), "Directory.Build.props")).Should().ContainMatch($"*<Version>{info.Version}</Version>*");
        informational.Should().BeOneOf(info.Version, $"{info.Version}+{info.Commit}");
        info.ToString().Should().StartWith(info.Version).And.Contain($"KubeOps {info.KubeOpsVersion} {info.KubeOpsSource}");
    }
}
