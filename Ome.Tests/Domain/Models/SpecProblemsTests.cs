using Ome.Shared.Domain.Models;

namespace Ome.Tests.Domain.Models;

/// <summary>What is wrong with a model whichever node looks at it.</summary>
public sealed class SpecProblemsTests
{
    private static readonly ModelSpec Sound = new() { Key = ModelKey.Cluster("m"), StorageUri = "hf://org/m", StoragePath = "/mnt/models/m" };

    [TestCase("hf://org/m", "/mnt/models/m")]
    [TestCase("hf://org/m", "", TestName = "An empty path is left to the node")]
    [TestCase("oci://bucket/m", "/mnt//models/./m/")]
    [TestCase("local:///mnt/m", null)]
    [TestCase("pvc://claim/m", null)]
    [TestCase("pvc://claim/m", "../any", TestName = "The path of a claim is its pod's affair")]
    [TestCase("vendor://v/models/m", null)]
    public void Nothing_is_said_of_what_some_node_may_carry_out(string uri, string? path) =>
        SpecProblems.Of(Sound with { StorageUri = uri, StoragePath = path }).Should().BeEmpty();

    [TestCase("ftp://x", "/mnt/models/m", "InvalidStorageUri", "spec.storage.storageUri 'ftp://x': unknown storage type, expected one of*")]
    [TestCase("hf://org/m", null, "InvalidStoragePath", "spec.storage.path is missing: set it to a directory under the models root of its nodes")]
    [TestCase("s3://b/m", "models/m", "InvalidStoragePath", "spec.storage.path 'models/m' is not an absolute path: set it to*")]
    [TestCase("hf://org/m", "/mnt/models/../../etc", "InvalidStoragePath", "spec.storage.path '/mnt/models/../../etc' climbs out with '..': set it to*")]
    [TestCase("hf://org/m", "//", "InvalidStoragePath", "spec.storage.path '//' is the root of the file system: set it to*")]
    [TestCase("local://./m", null, "InvalidStoragePath", "spec.storage.path './m' is not an absolute path: set it to*")]
    public void A_source_or_a_directory_that_no_node_can_use_is_named_with_the_remedy(string uri, string? path, string reason, string message)
    {
        var problem = SpecProblems.Of(Sound with { StorageUri = uri, StoragePath = path }).Should().ContainSingle().Subject;

        problem.Reason.Should().Be(reason);
        problem.Message.Should().Match(message);
    }

    [TestCase("Fast", null, null, null, "annotation ome.io/integrity-mode is 'Fast': it must be one of Off, Basic, Deep; the agents' default is used")]
    [TestCase(null, "often", null, null, "annotation ome.io/integrity-interval is 'often': it must be a duration such as*; the agents' default is used")]
    [TestCase(null, "1s", null, null, "annotation ome.io/integrity-interval is '1s': *must be between*; the agents' default is used")]
    [TestCase(null, "10h", "1d", null, "annotation ome.io/integrity-interval is '10h' and annotation ome.io/integrity-deep-max-age is '1d': *four times*; the agents' default is used")]
    [TestCase(null, null, null, "Delete", "annotation ome.io/integrity-on-damage is 'Delete': it must be one of *; the agents' default is used")]
    public void A_bad_annotation_is_named_with_what_it_may_be(string? mode, string? interval, string? age, string? onDamage, string message)
    {
        var problem = SpecProblems.Of(Sound with { Integrity = new(mode, interval, age, onDamage, null) }).Should().ContainSingle().Subject;

        problem.Reason.Should().Be("InvalidAnnotation");
        problem.Message.Should().Match(message);
    }

    [TestCase("Basic", "1d", null)]
    [TestCase(null, "1d", null, Description = "an agent may allow an age of a year")]
    [TestCase(null, null, "5m", Description = "an agent may look every ten seconds")]
    public void What_agents_of_other_defaults_may_use_is_no_problem(string? mode, string? interval, string? age) =>
        SpecProblems.Of(Sound with { Integrity = new(mode, interval, age, null, "any text") }).Should().BeEmpty();

    [Test]
    public void All_problems_are_told_those_of_the_source_first()
    {
        var problems = SpecProblems.Of(Sound with { StoragePath = "m", Integrity = new("Fast", null, null, null, null), BadStagingPriority = new string('9', 500) });

        problems.Select(static problem => problem.Reason).Should().Equal("InvalidStoragePath", "InvalidAnnotation", "InvalidAnnotation");
        problems[2].Message.Should().Match("annotation ome.io/staging-priority is '999*…': it must be a whole number from -1000 to 1000; 0 is used");
        problems[2].Message.Length.Should().BeLessThan(200);
    }
}
