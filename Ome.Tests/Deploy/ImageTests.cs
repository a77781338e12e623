using System.Text.RegularExpressions;
using System.Xml.Linq;
using Ome.Tests.Architecture;
using Ome.Tests.Support;

namespace Ome.Tests.Deploy;

/// <summary>What becomes an image and how it is named. That the images run, make images-proof shows.</summary>
public sealed partial class ImageTests
{
    [Test]
    public void Only_agent_and_operator_can_become_images()
    {
        var root = RepositoryTests.RepositoryRoot();
        var projects = Directory.EnumerateFiles(root, "*.csproj", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal) && Switch(path) == "true");

        projects.Select(Path.GetFileName).Should().BeEquivalentTo("Ome.Agent.csproj", "Ome.Operator.csproj");
        Switch(Path.Combine(root, "Directory.Build.props")).Should().Be("false");

        static string? Switch(string path) => XDocument.Load(path).Descendants("EnableSdkContainerSupport").SingleOrDefault()?.Value;
    }

    [TestCase("registry.example")]
    [TestCase("registry.example/ome")]
    [TestCase("127.0.0.1:5000/a/b")]
    [CancelAfter(180_000)]
    public async Task Images_are_pushed_under_the_names_that_are_deployed(string registry, CancellationToken token)
    {
        var images = (await Tool.RunAsync("make", token, "--dry-run", "images", $"IMG_REGISTRY={registry}", "TAG=1.2.3")).Succeeded();
        var deploy = (await Tool.RunAsync("make", token, "--dry-run", "deploy", $"IMG_REGISTRY={registry}", "TAG=1.2.3")).Succeeded();

        var pushed = Values(images, "ContainerRepository").Select(repository => $"{Value(images, "ContainerRegistry")}/{repository}:{Value(images, "ContainerImageTag")}");
        var prefix = Deployed().Match(deploy);
        pushed.Should().Equal($"{prefix.Groups["image"]}ome-agent:{prefix.Groups["tag"]}", $"{prefix.Groups["image"]}ome-operator:{prefix.Groups["tag"]}");
    }

    [Test, CancelAfter(180_000)]
    public async Task Without_a_registry_archives_are_written_for_both_architectures(CancellationToken token)
    {
        var images = (await Tool.RunAsync("make", token, "--dry-run", "images")).Succeeded();

        images.Should().NotContain("ContainerRegistry").And.Contain("ContainerArchiveOutputPath=");
        Value(images, "ContainerRuntimeIdentifiers").Should().Be("\"linux-x64;linux-arm64\"");
        Value(images, "ImageSelfContained").Should().Be("false");
        Value((await Tool.RunAsync("make", token, "--dry-run", "images", "IMG_BASE=registry.example/base:1")).Succeeded(), "ImageSelfContained").Should().Be("true");
    }

    private static string Value(string text, string property) => Values(text, property).First();

    private static IEnumerable<string> Values(string text, string property) =>
        Property().Matches(text).Where(match => match.Groups["name"].Value == property).Select(match => match.Groups["value"].Value);

    [GeneratedRegex("""-p:(?<name>\w+)=(?<value>[^\s']+)""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Property();

    [GeneratedRegex(@"IMAGE=(?<image>\S*) TAG=(?<tag>\S+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Deployed();
}
