using Ome.Shared.Domain.Aggregation;
using Ome.Shared.Domain.Models;

namespace Ome.Tests.Domain.Aggregation;

/// <summary>What people read when they describe a model.</summary>
public sealed class ModelConditionsTests
{
    private static readonly ModelSpec Spec = new() { Key = ModelKey.Cluster("m"), StorageUri = "hf://org/m", StoragePath = "/mnt/models/m" };

    private const string Missing = """{"mode":"Basic","result":"Invalid","reason":"FileMissing","message":"model-00002-of-00004.safetensors is missing","lastCheckedTime":"2026-08-01T12:00:00Z"}""";

    [Test]
    public void Damage_names_node_file_and_what_happens_next()
    {
        var aggregate = ModelAggregatorTests.Aggregate(("gpu-7", """{"status":"Failed","validation":""" + Missing + "}"), ("gpu-8", """{"status":"Ready","validation":{"result":"Valid"}}"""));

        Condition(aggregate, "ArtifactsIntact").Should().Be(new ModelCondition(
            "ArtifactsIntact",
            "False",
            "FileMissing",
            "m is damaged on gpu-7: model-00002-of-00004.safetensors is missing; readmission after repair and a full check"));
        aggregate.NodesDamaged.Should().Equal(new DamagedNode(
            "gpu-7", "FileMissing", "model-00002-of-00004.safetensors is missing", new DateTimeOffset(2026, 8, 1, 12, 0, 0, TimeSpan.Zero), IsWithdrawn: true));
        Condition(aggregate, "Ready").Message.Should().Be("1 of 2 nodes ready; 1 failed (gpu-7)");
    }

    [Test]
    public void Damage_on_many_nodes_names_the_first_few()
    {
        var nodes = Enumerable.Range(10, 9).Select(static i => ($"gpu-{i}", """{"status":"Failed","validation":""" + Missing + "}"));

        Condition(ModelAggregatorTests.Aggregate([.. nodes]), "ArtifactsIntact").Message
            .Should().EndWith("; also on gpu-11, gpu-12, gpu-13, gpu-14, gpu-15 and 3 more");
    }

    [Test]
    public void Damage_under_report_only_says_that_the_node_still_serves() =>
        Condition(ModelAggregatorTests.Aggregate(("a", """{"status":"Ready","validation":""" + Missing + "}")), "ArtifactsIntact").Message.Should().Contain("still advertised");

    [Test]
    public void Could_not_look_is_not_damage()
    {
        var aggregate = ModelAggregatorTests.Aggregate(
            ("a", """{"status":"Ready","validation":{"result":"Inconclusive","reason":"PermissionDenied"}}"""), ("b", """{"status":"Ready","validation":{"result":"Valid"}}"""));

        Condition(aggregate, "ArtifactsIntact").Should().Be(new ModelCondition("ArtifactsIntact", "Unknown", "CouldNotVerify", "could not be verified on a: PermissionDenied"));
        aggregate.NodesDamaged.Should().BeEmpty();
    }

    [Test]
    public void A_node_of_an_older_agent_leaves_the_model_not_verified() => Condition(
        ModelAggregatorTests.Aggregate(("a", """{"status":"Ready"}"""), ("b", """{"status":"Ready","validation":{"result":"Valid"}}""")), "ArtifactsIntact")
        .Should().Be(new ModelCondition("ArtifactsIntact", "Unknown", "NotVerified", "verified on 1 of 2 ready nodes"));

    [Test]
    public void All_verified_is_intact() => Condition(
        ModelAggregatorTests.Aggregate(("a", """{"status":"Ready","validation":{"result":"Valid"}}""")), "ArtifactsIntact").Status.Should().Be("True");

    [Test]
    public void An_unreadable_entry_is_shown_on_the_model_it_names()
    {
        var condition = Condition(ModelAggregatorTests.Aggregate(("gpu-9", "{broken"), ("a", """{"status":"Ready"}""")), "ReportsReadable");

        condition.Status.Should().Be("False");
        condition.Message.Should().StartWith("the entry of gpu-9 cannot be read: not an entry");
    }

    [TestCase("hf://", "InvalidStorageUri", "missing model ID")]
    [TestCase("pvc://claim/path", "NotStaged", "mount the claim")]
    [TestCase("hf://a/b", "NoNode", "check nodeSelector")]
    public void A_model_no_node_took_up_says_why(string uri, string reason, string phrase)
    {
        var condition = ModelConditions.Of(ModelAggregatorTests.Aggregate(), Spec with { StorageUri = uri })[0];

        condition.Status.Should().Be("False");
        condition.Reason.Should().Be(reason);
        condition.Message.Should().Contain(phrase);
    }

    [Test]
    public void A_message_from_a_node_is_one_bounded_line()
    {
        var entry = """{"status":"Failed","validation":{"result":"Invalid","reason":"FileMissing","message":"a\nb""" + new string('x', 5000) + "\"}}";

        var message = Condition(ModelAggregatorTests.Aggregate(("a", entry)), "ArtifactsIntact").Message;

        message.Should().NotContain("\n");
        message.Length.Should().BeLessThan(400);
    }

    [TestCase("FileMissing", "FileMissing")]
    [TestCase("file missing", "Damaged")]
    [TestCase("-", "Damaged")]
    public void A_reason_that_is_no_word_would_be_refused_and_is_not_passed_on(string reported, string reason) => Condition(
        ModelAggregatorTests.Aggregate(("a", $$$"""{"status":"Failed","validation":{"result":"Invalid","reason":"{{{reported}}}"} }""")), "ArtifactsIntact").Reason.Should().Be(reason);

    [Test]
    public void A_sound_spec_has_no_condition_of_its_own() => ModelConditions.Of(ModelAggregatorTests.Aggregate(), Spec)
        .Select(static condition => condition.Type).Should().Equal("Ready", "ArtifactsIntact");

    [Test]
    public void A_spec_that_a_node_refuses_is_told_in_its_words()
    {
        const string Refused = """{"status":"Failed","validation":{"result":"Inconclusive","reason":"InvalidSpec","message":"spec.storage.path '/etc' lies outside the models root: set it to a directory under /mnt/models"}}""";

        Condition(ModelAggregatorTests.Aggregate(("b", Refused), ("a", Refused), ("c", """{"status":"Ready"}""")), "SpecValid").Should().Be(new ModelCondition(
            "SpecValid", "False", "RefusedByNode", "a and 1 other node: spec.storage.path '/etc' lies outside the models root: set it to a directory under /mnt/models"));
    }

    [Test]
    public void What_every_node_refuses_is_told_once()
    {
        var aggregate = ModelAggregatorTests.Aggregate(("a", """{"status":"Failed","validation":{"result":"Inconclusive","reason":"InvalidSpec","message":"spec.storage.path is missing"}}"""));

        ModelConditions.Of(aggregate, Spec with { StoragePath = null }).Single(static condition => condition.Type == "SpecValid").Message
            .Should().Be("spec.storage.path is missing: set it to a directory under the models root of its nodes");
    }

    [Test]
    public void A_source_that_is_away_is_no_problem_of_the_spec() => ModelConditions.Of(
        ModelAggregatorTests.Aggregate(("a", """{"status":"Failed","validation":{"result":"Inconclusive","reason":"SourceUnavailable","message":"the hub is away"}}""")), Spec)
        .Should().NotContain(static condition => condition.Type == "SpecValid");

    [Test]
    public void A_deletion_that_waits_names_the_nodes() => ModelConditions.Deleting(
        ModelAggregatorTests.Aggregate(("b", """{"status":"Ready"}"""), ("a", """{"status":"Failed"}"""))).Message.Should().Be("waiting for 2 nodes to remove the files: a, b");

    private static ModelCondition Condition(ModelAggregate aggregate, string type) => ModelConditions.Of(aggregate, Spec).Single(condition => condition.Type == type);
}
