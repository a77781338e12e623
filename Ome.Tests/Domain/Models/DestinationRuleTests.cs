using Ome.Shared.Domain.Models;

namespace Ome.Tests.Domain.Models;

/// <summary>Contract 4.7 with the confinement OME lacks (W19, D15).</summary>
public sealed class DestinationRuleTests
{
    private static readonly DestinationRule Rule = new("/mnt/models", ["/data/shared"]);

    [TestCase("hf://org/m", "/mnt/models/org/m", "/mnt/models/org/m", TestName = "A path under the root is taken as it is")]
    [TestCase("hf://org/m", "/mnt/models//org/./m/", "/mnt/models/org/m", TestName = "A path is normalised")]
    [TestCase("hf://org/m", "", "/mnt/models/hf:/org/m", TestName = "An empty path means the URI under the root")]
    [TestCase("local:///mnt/models/m", null, "/mnt/models/m", TestName = "A local model needs no path")]
    [TestCase("local:///mnt/models/m", "/mnt/models/n", "/mnt/models/n", TestName = "The path of a local model wins over its URI")]
    [TestCase("local:///data/shared/m", "", "/data/shared/m", TestName = "A local model may lie under another root that was allowed")]
    public void Resolves(string uri, string? path, string want)
    {
        Rule.TryResolve(Parse(uri), path, out var destination, out var refusal).Should().BeTrue(refusal);
        destination.Should().Be(want);
    }

    [TestCase("hf://org/m", null, "spec.storage.path is missing", TestName = "A missing path is refused, not dereferenced (W14)")]
    [TestCase("hf://org/m", "/", "outside the models root", TestName = "The root directory is refused")]
    [TestCase("hf://org/m", "/mnt/models", "the models root itself", TestName = "The models root itself is refused")]
    [TestCase("hf://org/m", "/mnt/models/../../etc", "climbs out", TestName = "Climbing is refused")]
    [TestCase("hf://org/m", "/mnt/models/a/..", "climbs out", TestName = "Climbing is refused even when it ends inside")]
    [TestCase("hf://org/m", "/mnt/modelsx/m", "outside the models root", TestName = "A longer name of the root is another directory")]
    [TestCase("hf://org/m", "models/m", "not an absolute path", TestName = "A relative path is refused")]
    [TestCase("hf://org/m", "/mnt/models/.ome/manifests", "keeps for itself", TestName = "Our own directory is refused")]
    [TestCase("hf://org/m", "/data/shared/m", "outside the models root", TestName = "Other roots are for local models only")]
    [TestCase("local://~/m", null, "not an absolute path", TestName = "A node has no home directory to expand")]
    [TestCase("local:///etc/passwd", null, "outside the models root", TestName = "A local model outside all roots is refused")]
    [TestCase("hf://org/../../../../etc", "", "climbs out", TestName = "A URI that climbs is refused when it names the directory")]
    public void Refuses(string uri, string? path, string phrase)
    {
        Rule.TryResolve(Parse(uri), path, out var destination, out var refusal).Should().BeFalse();
        destination.Should().BeNull();
        refusal.Should().Contain(phrase).And.Contain("/mnt/models");
    }

    [Test]
    public void A_root_that_is_the_whole_disk_admits_nothing() =>
        new DestinationRule("/").TryResolve(Parse("hf://org/m"), "/m", out _, out _).Should().BeFalse();

    [TestCase("/a/b", "/a/b/c", true)]
    [TestCase("/a/b", "/a/b", true)]
    [TestCase("/a/b", "/a/bc", false)]
    public void Overlap(string one, string other, bool want)
    {
        DestinationRule.Overlap(one, other).Should().Be(want);
        DestinationRule.Overlap(other, one).Should().Be(want);
    }

    private static StorageUri Parse(string text) => StorageUri.TryParse(text, out var uri, out _) ? uri : throw new InvalidOperationException(text);
}
