using k8s;
using k8s.Models;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>What the author of a model asks for with annotations, and what the author is told of those that cannot be used.</summary>
public sealed class IntegrityAnnotationTests
{
    private const string Invalid = "InvalidAnnotation";

    [Test]
    [CancelAfter(60_000)]
    public async Task Two_nodes_tell_of_a_bad_annotation_with_one_event_and_the_default_holds(CancellationToken token)
    {
        await using var plane = await ControlPlanes.StartAsync(token);
        var log = plane.RequireRequestLog();
        await using var first = await AgentFixture.CreateAsync(plane, token);
        await using var second = await AgentFixture.CreateAsync(plane, token, first.Namespace);
        var directory = first.WriteModel("model");
        foreach (var node in new[] { first, second }) await node.StartAsync(options => options.LocalRoots = [first.ModelsRoot], token);

        await first.ApplyClusterModelAsync(
            "bad", "local://" + directory, null, token, new() { [OmeNames.IntegrityModeAnnotation] = "Fast", [OmeNames.IntegrityIntervalAnnotation] = "often" }, alsoOn: second.NodeName);
        foreach (var node in new[] { first, second })
        {
            await node.WaitForAsync("bad", NodeModelState.Ready, token);
            var check = await node.WaitForCheckAsync("bad", static found => found.Status is { Result: "Valid", OldestProofTime: not null }, token);
            check.Spec.Mode.Should().Be(nameof(IntegrityMode.Deep));
            check.Spec.Interval.Should().Be("10m");
        }

        foreach (var node in new[] { first, second }) await UntilAsync(async () => (await node.EventsAsync("bad")).Any(static one => one.Reason == "ModelReady"), token);
        await UntilAsync(() => Task.FromResult(log.Writes.Count(static write => write is { Resource: "events", Verb: "create" }) >= 4), token);
        log.Writes.Where(static write => write.Resource == "events").Should().HaveCount(4, "each node tells once that it is ready and once of the annotations").And.OnlyContain(static write => write.Verb == "create");
        var told = (await ToldAsync(plane, "bad", token)).Should().ContainSingle().Subject;
        told.Type.Should().Be("Warning");
        told.InvolvedObject.Kind.Should().Be("ClusterBaseModel");
        told.Message.Should().Be(
            "annotation ome.io/integrity-mode is 'Fast': it must be one of Off, Basic, Deep; Deep is used; "
            + $"annotation ome.io/integrity-interval is 'often': it must be {DurationText.Expected}; 10m is used");

        // Other words are another Event; the same model in other respects is not.
        await first.AnnotateClusterModelAsync("bad", OmeNames.StagingPriorityAnnotation, "7", token);
        await first.AnnotateClusterModelAsync("bad", OmeNames.IntegrityModeAnnotation, "Basic", token);
        await UntilAsync(async () => (await ToldAsync(plane, "bad", token)).Count == 2, token);
        foreach (var node in new[] { first, second }) await node.WaitForCheckAsync("bad", static found => found.Spec.Mode == nameof(IntegrityMode.Basic), token);
        (await ToldAsync(plane, "bad", token)).Should().OnlyContain(static one => one.Count == 1);
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task An_interval_that_no_policy_may_have_is_told_with_what_it_may_be(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(cancellationToken: token);
        var model = "hasty-" + node.NodeName;

        await node.ApplyClusterModelAsync(model, "local://" + node.WriteModel("hasty"), null, token, new() { [OmeNames.IntegrityIntervalAnnotation] = "1s" });

        await UntilAsync(async () => (await ToldAsync(node.Plane, model, token)).Count > 0, token);
        (await ToldAsync(node.Plane, model, token)).Should().ContainSingle().Which.Message.Should().Be(
            "annotation ome.io/integrity-interval is '1s': interval is 00:00:01; it must be between 00:00:10 and 1.00:00:00; 10m and 7d are used");
    }

    private static async Task<IReadOnlyList<Corev1Event>> ToldAsync(ITestControlPlane plane, string model, CancellationToken token) =>
        [.. (await plane.Admin.CoreV1.ListEventForAllNamespacesAsync(fieldSelector: "involvedObject.name=" + model, cancellationToken: token)).Items.Where(static one => one.Reason == Invalid)];

    private static async Task UntilAsync(Func<Task<bool>> holds, CancellationToken token)
    {
        while (!await holds()) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
    }
}
