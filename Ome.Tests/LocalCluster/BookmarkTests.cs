using Ome.LocalCluster;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster;

public sealed class BookmarkTests
{
    [Test, CancelAfter(120_000)]
    public async Task A_watch_that_selects_nothing_of_a_busy_kind_still_gets_bookmarks(CancellationToken ct)
    {
        await using var plane = await InProcessControlPlane.StartAsync(ct, new LocalClusterOptions { BookmarkInterval = TimeSpan.FromMilliseconds(500) });
        using var api = new RawApi(plane.Configuration);
        var configMaps = $"/api/v1/namespaces/{await plane.CreateNamespaceAsync(ct)}/configmaps";
        var made = (await api.PostAsync(configMaps, """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"busy"}}""", ct)).Expect(201).ResourceVersion;

        await using var watch = await api.OpenWatchAsync($"{configMaps}?watch=true&allowWatchBookmarks=true&labelSelector=none&resourceVersion={made}", ct);
        var next = watch.NextAsync(ct);
        for (var i = 0; !next.IsCompleted; i++) (await api.PatchAsync($"{configMaps}/busy", RawApi.MergePatch, $$$"""{"data":{"k":"{{{i}}}"}}""", ct)).Expect(200);

        var line = (await next)!;
        line.Type.Should().Be("BOOKMARK");
        long.Parse(line.ResourceVersion).Should().BeGreaterThan(long.Parse(made), "it moves the place to resume from");
    }

    /// <summary>Runs against a real server too, which takes it a minute and more: clients take a watch that stays silent for longer than that for dead.</summary>
    [Test, CancelAfter(300_000)]
    public async Task A_watch_on_which_nothing_happens_gets_bookmarks_all_the_same(CancellationToken ct)
    {
        await using var plane = await ControlPlanes.StartAsync(ct, new LocalClusterOptions { BookmarkInterval = TimeSpan.FromMilliseconds(200) });
        using var api = new RawApi(plane.Configuration);
        const string Quiet = "/api/v1/secrets";
        var listed = (await api.GetAsync(Quiet, ct)).ResourceVersion;

        await using var watch = await api.OpenWatchAsync($"{Quiet}?watch=true&allowWatchBookmarks=true&resourceVersion={listed}", ct);

        foreach (var line in new[] { await watch.NextAsync(ct), await watch.NextAsync(ct) })
        {
            line!.Type.Should().Be("BOOKMARK");
            long.Parse(line.ResourceVersion).Should().BeGreaterThanOrEqualTo(long.Parse(listed));
        }
    }
}
