using k8s;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Integrity;
using Ome.Agent.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Domain.Verification;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>What the author of a model asks for with annotations, and what the author is told of those that cannot be used.</summary>
public sealed class IntegrityAnnotationTests
{
    private const string Invalid = "InvalidAnnotation";

    [Test]
    [CancelAfter(180_000)]
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
    [CancelAfter(180_000)]
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

    [TestCase("urgent", 0)]
    [TestCase("5000", 1000)]
    [CancelAfter(180_000)]
    public async Task A_staging_priority_that_is_none_is_told_with_what_it_may_be(string value, int used, CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(cancellationToken: token);
        var model = "urgent-" + node.NodeName;

        await node.ApplyClusterModelAsync(model, "local://" + node.WriteModel("urgent"), null, token, new() { [OmeNames.StagingPriorityAnnotation] = value });

        await UntilAsync(async () => (await ToldAsync(node.Plane, model, token)).Count > 0, token);
        (await ToldAsync(node.Plane, model, token)).Should().ContainSingle().Which.Message.Should().Be(
            $"annotation ome.io/staging-priority is '{value}': it must be a whole number from -1000 to 1000; {used} is used");
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task An_interval_of_the_model_is_its_own(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        // Nobody tells of the damage, and the agent itself would look for it in an hour.
        await node.StartAsync(options => (options.Watch, options.IntegrityInterval) = (false, TimeSpan.FromHours(1)), token);
        var (often, seldom) = ("often-" + node.NodeName, "seldom-" + node.NodeName);
        await node.ApplyClusterModelAsync(seldom, "local://" + node.WriteModel(seldom), null, token);
        await node.ApplyClusterModelAsync(often, "local://" + node.WriteModel(often), null, token, new() { [OmeNames.IntegrityIntervalAnnotation] = "10s" });
        foreach (var model in new[] { seldom, often }) await node.WaitForCheckAsync(model, static check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        (await node.CheckAsync(often))!.Spec.Interval.Should().Be("10s");

        foreach (var model in new[] { seldom, often }) File.Delete(Shard(node, model));

        await node.WaitForAsync(often, NodeModelState.Failed, token);
        (await node.LabelAsync(seldom)).Should().Be("Ready", "its next look is in an hour");
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task A_shorter_interval_does_not_wait_for_the_longer_one_to_end(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(options => (options.Watch, options.IntegrityInterval) = (false, TimeSpan.FromHours(1)), token);
        var model = "hastened-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "local://" + node.WriteModel(model), null, token);
        await node.WaitForCheckAsync(model, static check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        File.Delete(Shard(node, model));

        await node.AnnotateClusterModelAsync(model, OmeNames.IntegrityIntervalAnnotation, "10s", token);

        await node.WaitForAsync(model, NodeModelState.Failed, token);
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task A_model_that_is_not_to_be_checked_is_not_until_it_is_again(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(options => options.IntegrityInterval = TimeSpan.FromSeconds(1), token);
        var (off, deep) = ("off-" + node.NodeName, "deep-" + node.NodeName);
        await node.ApplyClusterModelAsync(off, "local://" + node.WriteModel(off), null, token, new() { [OmeNames.IntegrityModeAnnotation] = "off" });
        await node.ApplyClusterModelAsync(deep, "local://" + node.WriteModel(deep), null, token);
        foreach (var model in new[] { off, deep }) await node.WaitForAsync(model, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(deep, static check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);

        foreach (var model in new[] { off, deep }) File.Delete(Shard(node, model));
        await node.WaitForAsync(deep, NodeModelState.Failed, token);
        (await node.LabelAsync(off)).Should().Be("Ready");
        (await node.ChecksAsync(("name", off))).Should().Be(0);

        await node.AnnotateClusterModelAsync(off, OmeNames.IntegrityModeAnnotation, nameof(IntegrityMode.Basic), token);
        await node.WaitForAsync(off, NodeModelState.Failed, token);
        await node.WaitForCheckAsync(off, static check => check is { Spec.Mode: nameof(IntegrityMode.Basic), Status.Result: "Invalid" }, token);
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task Each_new_value_of_either_asker_is_one_full_check(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(options => options.IntegrityInterval = TimeSpan.FromSeconds(1), token);
        var model = "asked-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "local://" + node.WriteModel(model), null, token);
        await node.WaitForCheckAsync(model, static check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        var before = await FullChecksAsync(node, model);

        for (var asked = 1; asked <= 2; asked++)
        {
            await node.AnnotateClusterModelAsync(model, OmeNames.VerifyNowAnnotation, $"please-{asked}", token);
            await UntilAsync(async () => await FullChecksAsync(node, model) >= before + (2 * asked) - 1, token);
            await RequestAsync(node, model, new DateTimeOffset(2026, 1, asked, 0, 0, 0, TimeSpan.Zero), token);
            await UntilAsync(async () => await FullChecksAsync(node, model) >= before + (2 * asked), token);
        }

        // Both values are seen again with every change of their object.
        await node.AnnotateClusterModelAsync(model, OmeNames.StagingPriorityAnnotation, "7", token);
        var looks = await BasicChecksAsync(node, model);
        await UntilAsync(async () => await BasicChecksAsync(node, model) >= looks + 3, token);
        (await FullChecksAsync(node, model)).Should().Be(before + 4);
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task A_full_check_of_a_model_that_has_no_files_yet_is_not_looked_for_again_and_again_and_comes_with_them(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(cancellationToken: token);
        var (model, directory) = ("early-" + node.NodeName, Path.Combine(node.ModelsRoot, "early"));
        await node.ApplyClusterModelAsync(model, "local://" + directory, null, token);
        await node.WaitForAsync(model, NodeModelState.Failed, token);

        await node.AnnotateClusterModelAsync(model, OmeNames.VerifyNowAnnotation, "please", token);
        await node.AnnotateClusterModelAsync(model, OmeNames.StagingPriorityAnnotation, "7", token);
        await UntilAsync(() => Task.FromResult(node.Services.GetRequiredService<ModelCatalog>().Find(ModelKey.Cluster(model))!.Spec.StagingPriority == 7), token);
        await UntilAsync(() => Task.FromResult(node.Services.GetRequiredService<IntegrityService>().NextDue is null), token);

        node.WriteModel("early");
        await UntilAsync(async () => await FullChecksAsync(node, model) > 0, token);
        await node.WaitForAsync(model, NodeModelState.Ready, token);
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task A_full_check_that_was_asked_for_is_told_when_it_ended_and_not_repeated_by_a_restart(CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(cancellationToken: token);
        var model = "answered-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "local://" + node.WriteModel(model), null, token);
        var before = await node.WaitForCheckAsync(model, static check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        // Times on the wire are of whole seconds.
        await Task.Delay(TimeSpan.FromSeconds(1.1), TimeProvider.System, token);

        await RequestAsync(node, model, new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), token);
        await node.WaitForCheckAsync(model, check => check.Status.LastDeepTime is { } ended && !(ended <= before.Status.LastDeepTime), token);

        await node.StopAsync();
        await node.StartAsync(static options => options.IntegrityInterval = TimeSpan.FromSeconds(1), token);
        await UntilAsync(async () => await BasicChecksAsync(node, model) >= 3, token);
        (await FullChecksAsync(node, model)).Should().Be(0);
    }

    private static string Shard(AgentFixture node, string model) => Directory.GetFiles(Path.Combine(node.ModelsRoot, model), "*.safetensors").Order(StringComparer.Ordinal).First();

    private static Task<double> FullChecksAsync(AgentFixture node, string model) => node.ChecksAsync(("name", model), ("mode", nameof(CheckMode.Deep)));

    private static Task<double> BasicChecksAsync(AgentFixture node, string model) => node.ChecksAsync(("name", model), ("mode", nameof(CheckMode.Basic)));

    private static Task RequestAsync(AgentFixture node, string model, DateTimeOffset at, CancellationToken token) =>
        node.Plane.Admin.CustomObjects.PatchClusterCustomObjectAsync<ModelIntegrityCheck>(
            new V1Patch(new { spec = new { requestedAt = at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture) } }, V1Patch.PatchType.MergePatch),
            OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, ModelKey.Cluster(model).CheckName(node.NodeName), cancellationToken: token);

    private static async Task<IReadOnlyList<Corev1Event>> ToldAsync(ITestControlPlane plane, string model, CancellationToken token) =>
        [.. (await plane.Admin.CoreV1.ListEventForAllNamespacesAsync(fieldSelector: "involvedObject.name=" + model, cancellationToken: token)).Items.Where(static one => one.Reason == Invalid)];

    private static async Task UntilAsync(Func<Task<bool>> holds, CancellationToken token)
    {
        while (!await holds()) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
    }
}
