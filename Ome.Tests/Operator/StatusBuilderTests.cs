using System.Text.Json.Nodes;
using Ome.Operator.Reconciling;
using Ome.Shared.Api;
using Ome.Shared.Domain.Aggregation;
using Ome.Shared.Domain.Models;
using Ome.Tests.Domain.Aggregation;

namespace Ome.Tests.Operator;

/// <summary>Aggregate to status: what is kept, what moves, and when nothing is worth a write.</summary>
public sealed class StatusBuilderTests
{
    private static readonly DateTimeOffset Noon = new(2026, 8, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ModelSpec Spec = new() { Key = ModelKey.Cluster("m"), StorageUri = "hf://org/m", StoragePath = "/mnt/models/m", Generation = 3 };

    [Test]
    public void The_same_reports_an_hour_later_give_the_same_status()
    {
        var first = Build(Noon, null, ("a", Valid("2026-08-01T11:00:00Z")), ("b", Damaged("FileMissing", null)));

        var later = Build(Noon.AddHours(1), first, ("a", Valid("2026-08-01T11:00:00Z")), ("b", Damaged("FileMissing", null)));

        Same(later, first).Should().BeTrue();
        first.NodesDamaged!.Single().Since.Should().Be(Noon, "the node did not say, so it is when we saw it");
    }

    [Test]
    public void A_condition_keeps_its_time_until_its_status_changes()
    {
        var first = Build(Noon, null, ("a", Valid(null)));
        var moreNodes = Build(Noon.AddMinutes(1), first, ("a", Valid(null)), ("b", Valid(null)));
        var none = Build(Noon.AddMinutes(2), moreNodes, ("a", """{"status":"Updating"}"""));

        Ready(moreNodes).Message.Should().NotBe(Ready(first).Message);
        Ready(moreNodes).LastTransitionTime.Should().Be(Noon);
        Ready(none).LastTransitionTime.Should().Be(Noon.AddMinutes(2));
        Ready(none).ObservedGeneration.Should().Be(3);
    }

    [Test]
    public void Damage_seen_first_by_the_node_keeps_the_time_of_the_node()
    {
        var first = Build(Noon, null, ("a", Damaged("FileMissing", "2026-08-01T10:00:00Z")));
        var again = Build(Noon.AddMinutes(5), first, ("a", Damaged("FileMissing", "2026-08-01T12:03:00Z")));
        var other = Build(Noon.AddMinutes(6), again, ("a", Damaged("DigestMismatch", "2026-08-01T12:04:00Z")));

        first.NodesDamaged!.Single().Since.Should().Be(Noon.AddHours(-2));
        again.NodesDamaged!.Single().Since.Should().Be(Noon.AddHours(-2), "a second check of the same damage is not new damage");
        other.NodesDamaged!.Single().Since.Should().Be(Noon.AddMinutes(4));
    }

    [TestCase("2026-08-01T11:05:00Z", true)]
    [TestCase("2026-08-01T11:15:00Z", false)]
    public void A_proof_that_moves_a_little_is_not_worth_a_write(string proof, bool isSame) =>
        Same(Build(Noon, Build(Noon, null, ("a", Valid("2026-08-01T11:00:00Z"))), ("a", Valid(proof))), Build(Noon, null, ("a", Valid("2026-08-01T11:00:00Z")))).Should().Be(isSame);

    [Test]
    public void Conditions_of_others_stay()
    {
        var current = new BaseModelStatus { State = "Ready", Conditions = [new() { Type = "Audited", Status = "True", Reason = "R", Message = "m", LastTransitionTime = Noon }] };

        Build(Noon, current, ("a", Valid(null))).Conditions!.Select(static condition => condition.Type).Should().Equal("Ready", "ArtifactsIntact", "Audited");
    }

    [Test]
    public void Damaged_nodes_are_bounded()
    {
        var nodes = Enumerable.Range(0, 300).Select(static i => ($"gpu-{i:D3}", Damaged("FileMissing", null))).ToArray();

        var status = Build(Noon, null, nodes);

        status.NodesDamaged.Should().HaveCount(StatusBuilder.MaxDamagedNodes);
        status.NodesFailed.Should().HaveCount(300);
        status.Conditions!.Single(static condition => condition.Type == "ArtifactsIntact").Message.Should().EndWith("and 294 more");
    }

    [Test]
    public void Transitions_speak_of_changes_only()
    {
        var intact = Build(Noon, null, ("a", Valid(null)), ("b", Valid(null)));
        var damaged = Build(Noon, intact, ("a", Valid(null)), ("b", Damaged("FileMissing", null)));

        Reasons(null, intact).Should().Equal("ModelReady");
        Reasons(intact, intact).Should().BeEmpty();
        Reasons(intact, damaged).Should().Equal("NodeWithdrawn");
        Reasons(damaged, damaged).Should().BeEmpty();
        Reasons(damaged, intact).Should().Equal("NodeReadmitted");
    }

    [Test]
    public void Many_nodes_at_once_are_a_few_events()
    {
        var intact = Build(Noon, null, [.. Enumerable.Range(0, 50).Select(static i => ($"gpu-{i:D2}", Valid(null)))]);
        var damaged = Build(Noon, intact, [.. Enumerable.Range(0, 50).Select(static i => ($"gpu-{i:D2}", Damaged("FileMissing", null)))]);

        var transitions = StatusTransitions.Between("m", intact, damaged);

        transitions.Should().HaveCount(12);
        transitions.Should().Contain(static transition => transition.Message == "40 more nodes were withdrawn");
        transitions.Should().Contain(static transition => transition.Reason == "ModelFailed");
    }

    private static BaseModelStatus Build(DateTimeOffset now, BaseModelStatus? current, params (string Node, string Entry)[] entries)
    {
        var aggregate = ModelAggregatorTests.Aggregate(entries);
        return StatusBuilder.Build(aggregate, ModelConditions.Of(aggregate, Spec), Spec, current, now);
    }

    private static bool Same(BaseModelStatus one, BaseModelStatus other) => JsonNode.DeepEquals(StatusJson.Full(one), StatusJson.Full(other));

    private static IEnumerable<string> Reasons(BaseModelStatus? before, BaseModelStatus after) => StatusTransitions.Between("m", before, after).Select(static transition => transition.Reason);

    private static Shared.Api.ModelCondition Ready(BaseModelStatus status) => status.Conditions!.Single(static condition => condition.Type == "Ready");

    private static string Valid(string? proof) => """{"status":"Ready","validation":{"result":"Valid","oldestProofTime":""" + (proof is null ? "null" : $"\"{proof}\"") + "}}";

    private static string Damaged(string reason, string? at) =>
        """{"status":"Failed","validation":{"result":"Invalid","reason":""" + $"\"{reason}\"" + ""","lastCheckedTime":""" + (at is null ? "null" : $"\"{at}\"") + "}}";
}
