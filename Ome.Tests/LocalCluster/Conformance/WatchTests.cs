using System.Diagnostics;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>Watches: nothing lost, nothing out of order, selectors, bookmarks, ends.</summary>
public sealed class WatchTests : ConformanceTest
{
    private string Selected => $"{ConfigMaps}?watch=true&labelSelector=w";

    [Test, CancelAfter(120_000)]
    public async Task A_watch_without_version_begins_with_what_is_there(CancellationToken ct)
    {
        await CreateLabelledAsync("a", ct);

        await using var watch = await Api.OpenWatchAsync(Selected, ct);
        var initial = await watch.NextAsync(1, ct);
        await CreateLabelledAsync("b", ct);

        initial.Should().Equal("ADDED a");
        (await watch.NextAsync(1, ct)).Should().Equal("ADDED b");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_watch_from_a_list_sees_exactly_what_came_after_it(CancellationToken ct)
    {
        await CreateLabelledAsync("before", ct);
        var version = (await Api.GetAsync(ConfigMaps, ct)).ResourceVersion;
        await CreateLabelledAsync("between", ct);

        await using var watch = await Api.OpenWatchAsync($"{Selected}&resourceVersion={version}", ct);
        (await Api.PatchAsync($"{ConfigMaps}/before", RawApi.MergePatch, """{"data":{"k":"2"}}""", ct)).Expect(200);
        (await Api.DeleteAsync($"{ConfigMaps}/between", ct)).Expect(200);

        (await watch.NextAsync(3, ct)).Should().Equal("ADDED between", "MODIFIED before", "DELETED between");
    }

    [Test, CancelAfter(120_000)]
    public async Task Each_event_carries_the_object_as_it_was_then(CancellationToken ct)
    {
        var created = await CreateLabelledAsync("a", ct);
        await using var watch = await Api.OpenWatchAsync($"{Selected}&resourceVersion={created.ResourceVersion}", ct);
        for (var i = 0; i < 50; i++) (await Api.PatchAsync($"{ConfigMaps}/a", RawApi.MergePatch, $$$"""{"data":{"k":"v{{{i}}}"}}""", ct)).Expect(200);

        var last = long.Parse(created.ResourceVersion);
        for (var i = 0; i < 50; i++)
        {
            var line = await watch.NextAsync(ct);
            ((string?)line!.Object["data"]!["k"]).Should().Be($"v{i}");
            long.Parse(line.ResourceVersion).Should().BeGreaterThan(last);
            last = long.Parse(line.ResourceVersion);
        }
    }

    [Test, CancelAfter(120_000)]
    public async Task A_deletion_event_has_the_last_state_and_a_version_of_its_own(CancellationToken ct)
    {
        var created = await CreateLabelledAsync("a", ct);
        await using var watch = await Api.OpenWatchAsync($"{Selected}&resourceVersion={created.ResourceVersion}", ct);

        (await Api.DeleteAsync($"{ConfigMaps}/a", ct)).Expect(200);

        var line = await watch.NextAsync(ct);
        line!.Type.Should().Be("DELETED");
        ((string?)line.Object["data"]!["k"]).Should().Be("1");
        long.Parse(line.ResourceVersion).Should().BeGreaterThan(long.Parse(created.ResourceVersion));
    }

    [Test, CancelAfter(120_000)]
    public async Task An_object_that_starts_or_stops_matching_is_added_or_deleted(CancellationToken ct)
    {
        var created = await CreateAsync("a", ct);
        await using var watch = await Api.OpenWatchAsync($"{Selected}&resourceVersion={created.ResourceVersion}", ct);

        await LabelAsync("a", "\"1\"", ct);
        await LabelAsync("a", "\"2\"", ct);
        var left = await LabelAsync("a", "null", ct);
        await LabelAsync("a", "\"3\"", ct);

        (await watch.NextAsync(2, ct)).Should().Equal("ADDED a", "MODIFIED a");
        var gone = await watch.NextAsync(ct);
        gone!.Type.Should().Be("DELETED");
        gone.ResourceVersion.Should().Be(left.ResourceVersion, "a resume must not see it again");
        ((string?)gone.Object["metadata"]!["labels"]!["w"]).Should().Be("2", "it is the last state that matched");
        (await watch.NextAsync(1, ct)).Should().Equal("ADDED a");
    }

    [Test, CancelAfter(120_000)]
    public async Task One_object_is_watched_by_field_selector(CancellationToken ct)
    {
        var version = (await Api.GetAsync(ConfigMaps, ct)).ResourceVersion;
        await using var watch = await Api.OpenWatchAsync($"{ConfigMaps}?watch=true&fieldSelector=metadata.name%3Db&resourceVersion={version}", ct);

        await CreateAsync("a", ct);
        await CreateAsync("b", ct);

        (await watch.NextAsync(1, ct)).Should().Equal("ADDED b");
    }

    [Test, CancelAfter(120_000)]
    public async Task Other_namespaces_are_not_seen(CancellationToken ct)
    {
        var other = await Plane.CreateNamespaceAsync(ct);
        var version = (await Api.GetAsync(ConfigMaps, ct)).ResourceVersion;
        await using var watch = await Api.OpenWatchAsync($"{Selected}&resourceVersion={version}", ct);
        await using var all = await Api.OpenWatchAsync($"/api/v1/configmaps?watch=true&labelSelector=w={Namespace}&resourceVersion={version}", ct);

        var labels = $$""","labels":{"w":"{{Namespace}}"}""";
        (await Api.PostAsync($"/api/v1/namespaces/{other}/configmaps", ConfigMap("there", metadata: labels), ct)).Expect(201);
        await CreateAsync("here", ct, metadata: labels);

        (await watch.NextAsync(1, ct)).Should().Equal("ADDED here");
        (await all.NextAsync(2, ct)).Should().Equal("ADDED there", "ADDED here");
    }

    [Test, CancelAfter(120_000)]
    public async Task timeoutSeconds_ends_the_watch_cleanly(CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        await using var watch = await Api.OpenWatchAsync($"{Selected}&timeoutSeconds=1", ct);

        (await watch.NextAsync(ct)).Should().BeNull();
        Stopwatch.GetElapsedTime(started).Should().BeGreaterThan(TimeSpan.FromMilliseconds(800));
    }

    [Test, CancelAfter(180_000)]
    public async Task sendInitialEvents_ends_the_initial_state_with_a_marked_bookmark(CancellationToken ct)
    {
        Plane.RequireMinor(32, "sendInitialEvents");
        await CreateLabelledAsync("a", ct);

        await using var watch = await Api.OpenWatchAsync($"{Selected}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true", ct);

        (await watch.NextAsync(ct))!.ToString().Should().Be("ADDED a");
        var bookmark = await watch.NextAsync(ct);
        bookmark!.Type.Should().Be("BOOKMARK");
        ((string?)bookmark.Object["metadata"]!["annotations"]!["k8s.io/initial-events-end"]).Should().Be("true");
        bookmark.ResourceVersion.Should().NotBeEmpty();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_watch_from_a_forgotten_version_reports_410_as_an_event(CancellationToken ct)
    {
        var faults = Plane.RequireFaults();
        var old = (await CreateAsync("a", ct)).ResourceVersion;
        faults.TruncateHistory();

        await using var watch = await Api.OpenWatchAsync($"{ConfigMaps}?watch=true&resourceVersion={old}", ct);

        var line = await watch.NextAsync(ct);
        line!.Type.Should().Be("ERROR");
        ((int?)line.Object["code"]).Should().Be(410);
        ((string?)line.Object["reason"]).Should().Be("Expired");
        (await watch.NextAsync(ct)).Should().BeNull("the server ends the watch after an error");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_watch_can_send_table_rows(CancellationToken ct)
    {
        await CreateLabelledAsync("a", ct);

        await using var watch = await Api.OpenWatchAsync(Selected, ct, RawApi.Table);
        var line = await watch.NextAsync(ct);

        ((string?)line!.Object["kind"]).Should().Be("Table");
        ((string?)line.Object["rows"]![0]!["cells"]![0]).Should().Be("a");
    }

    private Task<RawAnswer> CreateLabelledAsync(string name, CancellationToken ct) => CreateAsync(name, ct, metadata: ""","labels":{"w":"1"}""");

    private async Task<RawAnswer> LabelAsync(string name, string value, CancellationToken ct) =>
        (await Api.PatchAsync($"{ConfigMaps}/{name}", RawApi.MergePatch, $$$$"""{"metadata":{"labels":{"w":{{{{value}}}}}}}""", ct)).Expect(200);
}
