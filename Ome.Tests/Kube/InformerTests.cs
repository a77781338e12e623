using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Ome.Shared.Kube;
using Ome.Tests.Support;

namespace Ome.Tests.Kube;

public sealed class InformerTests : InformerFixture
{
    [Test, CancelAfter(Limit)]
    public async Task Everything_is_listed_in_pages_of_one_namespace_and_selector(CancellationToken cancellationToken)
    {
        for (var i = 0; i < 25; i++) Server.Put($"node-{i:00}");

        var informer = Run(Quick with { PageSize = 10, LabelSelector = "a=b", FieldSelector = "metadata.name!=x" });
        await informer.WaitForSyncAsync(cancellationToken);

        informer.Count.Should().Be(25);
        informer.HasSynced.Should().BeTrue();
        var lists = Server.Requests.Where(url => !url.Contains("watch=true")).ToList();
        lists.Should().HaveCount(3).And.OnlyContain(url => url.StartsWith("/api/v1/namespaces/ome/configmaps?limit=10"));
        lists.Should().OnlyContain(url => url.Contains("labelSelector=a%3Db") && url.Contains("fieldSelector=metadata.name%21%3Dx"));
    }

    [Test, CancelAfter(Limit)]
    public async Task Changes_arrive_in_order_with_what_was_before(CancellationToken cancellationToken)
    {
        var informer = Run(Quick);
        await informer.WaitForSyncAsync(cancellationToken);

        var first = Server.Put("a");
        var second = Server.Put("a");
        Server.Delete("a");

        (await NextAsync(cancellationToken)).Should().Match<InformerEvent<string>>(e => e.Type == InformerEventType.Added && e.Item == first);
        (await NextAsync(cancellationToken)).Should().Match<InformerEvent<string>>(e => e.Type == InformerEventType.Updated && e.Item == second && e.Previous == first);
        (await NextAsync(cancellationToken)).Should().Match<InformerEvent<string>>(e => e.Type == InformerEventType.Deleted && e.Object.Name == new ObjectName("ome", "a"));
        informer.TryGet(new("ome", "a"), out _).Should().BeFalse();
    }

    [Test, CancelAfter(Limit)]
    public async Task A_broken_watch_resumes_from_the_last_event_without_a_new_list(CancellationToken cancellationToken)
    {
        var informer = Run(Quick);
        await informer.WaitForSyncAsync(cancellationToken);
        var last = Server.Put("a");
        await NextAsync(cancellationToken);
        Server.Requests.Clear();

        Server.DropWatches();
        Server.Put("b");

        (await NextAsync(cancellationToken)).Object.Name.Name.Should().Be("b");
        Server.Requests.Should().OnlyContain(url => url.Contains("watch=true"));
        Server.Requests.Last().Should().Contain($"resourceVersion={last}");
    }

    [Test, CancelAfter(Limit)]
    public async Task A_bookmark_moves_the_place_to_resume_from(CancellationToken cancellationToken)
    {
        var informer = Run(Quick);
        await informer.WaitForSyncAsync(cancellationToken);
        Server.Bookmark();
        Server.Put("a");
        await NextAsync(cancellationToken);
        Server.Bookmark();
        Server.Put("b");
        await NextAsync(cancellationToken);
        Server.Requests.Clear();

        Server.DropWatches();
        await UntilAsync(() => !Server.Requests.IsEmpty, cancellationToken);

        Server.Requests.First().Should().Contain("resourceVersion=104");
        informer.Count.Should().Be(2);
    }

    [Test, CancelAfter(Limit)]
    public async Task What_was_deleted_while_history_was_lost_is_reported_as_deleted(CancellationToken cancellationToken)
    {
        foreach (var name in new[] { "stays", "goes", "changes", "reborn" }) Server.Put(name);
        var informer = Run(Quick with { PageSize = 2 });
        await informer.WaitForSyncAsync(cancellationToken);
        for (var i = 0; i < 4; i++) await NextAsync(cancellationToken);

        Server.Refusal = 503;
        Server.DropWatches();
        Server.Delete("goes");
        Server.Put("changes");
        Server.Delete("reborn");
        Server.Put("reborn");
        Server.Compact();
        Server.Refusal = null;

        var seen = new List<(InformerEventType Type, string Name)>();
        for (var i = 0; i < 4; i++)
        {
            var change = await NextAsync(cancellationToken);
            seen.Add((change.Type, change.Object.Name.Name));
        }
        seen.Should().BeEquivalentTo([
            (InformerEventType.Updated, "changes"), (InformerEventType.Deleted, "reborn"), (InformerEventType.Added, "reborn"), (InformerEventType.Deleted, "goes"),
        ]);
        informer.Snapshot().Should().HaveCount(3);
        Events.Reader.TryRead(out _).Should().BeFalse("what stayed as it was is no news");
    }

    [Test, CancelAfter(Limit)]
    public async Task A_list_whose_continue_token_expires_starts_again(CancellationToken cancellationToken)
    {
        for (var i = 0; i < 6; i++) Server.Put($"n{i}");
        var compactions = 0;
        Server.BeforePage = page =>
        {
            if (page != 1 || compactions++ > 0) return;
            Server.Delete("n0");
            Server.Compact();
        };

        var informer = Run(Quick with { PageSize = 3 });
        await informer.WaitForSyncAsync(cancellationToken);

        informer.Count.Should().Be(5);
        informer.TryGet(new("ome", "n0"), out _).Should().BeFalse("the second list no longer had it");
    }

    [Test, CancelAfter(Limit)]
    public async Task A_silent_peer_is_left_after_the_limit(CancellationToken cancellationToken)
    {
        var clock = new FakeTimeProvider();
        Server.Silent = true;
        var informer = Run(Quick, clock);
        await informer.WaitForSyncAsync(cancellationToken);
        await UntilAsync(() => Server.OpenWatches == 1, cancellationToken);
        Server.Put("a");
        Server.Silent = false;

        await AdvanceUntilAsync(clock, TimeSpan.FromSeconds(10), () => Events.Reader.Count == 1, cancellationToken);

        Log.Lines.Should().ContainSingle(line => line.Id == 2101).Which.Text.Should().Contain("silent for 150 s");
        informer.LastEventAge.Should().BeLessThan(TimeSpan.FromSeconds(30));
    }

    [Test, CancelAfter(Limit)]
    public async Task The_age_of_the_last_word_grows_while_nothing_comes(CancellationToken cancellationToken)
    {
        var clock = new FakeTimeProvider();
        var informer = Run(Quick, clock);
        await informer.WaitForSyncAsync(cancellationToken);

        clock.Advance(TimeSpan.FromSeconds(42));

        informer.LastEventAge.Should().BeCloseTo(TimeSpan.FromSeconds(42), TimeSpan.FromSeconds(1));
    }

    [TestCase(403, "not allowed", "config/rbac")]
    [TestCase(404, "does not serve configmaps", "version of the cluster")]
    [TestCase(401, "credentials", "service account")]
    [TestCase(500, "500: refused on demand", "log of the API server")]
    [CancelAfter(Limit)]
    public async Task Each_failed_attempt_says_once_what_is_wrong_and_what_to_do(int status, string cause, string remedy, CancellationToken cancellationToken)
    {
        Server.Refusal = status;
        var informer = Run(Quick);
        await UntilAsync(() => Log.Lines.Count(line => line.Id == 2102) >= 3, cancellationToken);
        var asked = Server.Requests.Count;

        Log.Lines.Count.Should().BeLessThanOrEqualTo(asked + 1);
        Log.Lines.Should().OnlyContain(line => line.Text.Contains(cause) && line.Text.Contains(remedy));
        informer.HasSynced.Should().BeFalse();
        informer.Failures.Should().BeGreaterThanOrEqualTo(3);

        Server.Refusal = null;
        await informer.WaitForSyncAsync(cancellationToken);
        Server.Put("a");
        await NextAsync(cancellationToken);
        informer.Failures.Should().Be(0);
    }

    [Test, CancelAfter(Limit)]
    public async Task An_unreachable_server_is_named_with_the_remedy(CancellationToken cancellationToken)
    {
        await Server.DisposeAsync();
        var dead = new k8s.Kubernetes(new k8s.KubernetesClientConfiguration { Host = Server.Client.BaseUri.ToString() });
        Server = await WatchServer.StartAsync();
        var informer = new Informer<V1ConfigMap, string>(dead, Quick, item => item.Name(), (_, _) => ValueTask.CompletedTask, TimeProvider.System, Log);
        Running = informer.RunAsync(Stop.Token);

        await UntilAsync(() => Log.Lines.Count >= 2, cancellationToken);

        Log.Lines.First().Text.Should().Contain($"127.0.0.1:{dead.BaseUri.Port} cannot be reached").And.Contain("KUBERNETES_SERVICE_HOST");
        await Stop.CancelAsync();
        await Running;
        dead.Dispose();
    }

    [Test, CancelAfter(Limit)]
    public async Task The_server_is_given_the_time_it_asks_for(CancellationToken cancellationToken)
    {
        var clock = new FakeTimeProvider();
        Server.Refusal = 429;
        Run(Quick, clock);
        await UntilAsync(() => !Log.Lines.IsEmpty, cancellationToken);
        Log.Lines.First().Text.Should().Contain("in 2.0 s");

        clock.Advance(TimeSpan.FromSeconds(1.9));
        Server.Requests.Should().ContainSingle();
        await AdvanceUntilAsync(clock, TimeSpan.FromSeconds(0.2), () => Server.Requests.Count == 2, cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_server_that_ends_each_watch_at_once_is_not_asked_in_a_tight_loop(CancellationToken cancellationToken)
    {
        Server.ClosesAtOnce = true;
        var clock = new FakeTimeProvider();
        var informer = Run(Quick with { BackoffFirst = TimeSpan.FromSeconds(1), BackoffCap = TimeSpan.FromSeconds(30) }, clock);

        await UntilAsync(() => informer.Failures == 1, cancellationToken);

        Server.Requests.Should().HaveCount(2, "one list, one watch, then a pause on the clock that stands still");
    }

    [Test, CancelAfter(Limit)]
    public async Task A_change_whose_handler_failed_is_delivered_again_and_the_others_are_not_held_up(CancellationToken cancellationToken)
    {
        foreach (var name in new[] { "a", "bad", "c" }) Server.Put(name);
        var failuresLeft = 2;
        var informer = Run(Quick, handler: (change, _) =>
        {
            if (change.Object.Name.Name == "bad" && failuresLeft-- > 0) throw new InvalidOperationException("no");
            Events.Writer.TryWrite(change);
            return ValueTask.CompletedTask;
        });

        await informer.WaitForSyncAsync(cancellationToken);

        var names = new List<string>();
        while (Events.Reader.TryRead(out var change)) names.Add(change.Object.Name.Name);
        names.Should().Equal("a", "c", "bad");
        Log.Lines.Count(line => line.Id == 2104).Should().Be(2);
    }

    [Test, CancelAfter(Limit)]
    public async Task Lost_deletions_are_retried_until_the_handler_took_them(CancellationToken cancellationToken)
    {
        Server.Put("a");
        var refusals = 3;
        var informer = Run(Quick, handler: (change, _) =>
        {
            if (change.Type == InformerEventType.Deleted && refusals-- > 0) throw new InvalidOperationException("no");
            Events.Writer.TryWrite(change);
            return ValueTask.CompletedTask;
        });
        await informer.WaitForSyncAsync(cancellationToken);
        await NextAsync(cancellationToken);

        Server.Delete("a");

        (await NextAsync(cancellationToken)).Type.Should().Be(InformerEventType.Deleted);
        refusals.Should().Be(-1);
        informer.Count.Should().Be(0);
    }

    [Test, CancelAfter(Limit)]
    public async Task The_projection_sees_kind_and_apiVersion_also_in_lists_and_no_managed_fields(CancellationToken cancellationToken)
    {
        Server.Put("a", fill: body => body["metadata"]!["managedFields"] = new JsonArray(new JsonObject { ["manager"] = "x" }));
        var informer = new Informer<V1ConfigMap, string>(
            Server.Client, Quick, map => $"{map.ApiVersion}/{map.Kind}/{map.Metadata.ManagedFields?.Count}", (_, _) => ValueTask.CompletedTask, TimeProvider.System, Log);
        Running = informer.RunAsync(Stop.Token);
        await informer.WaitForSyncAsync(cancellationToken);

        informer.Snapshot().Should().Equal("v1/ConfigMap/");
    }

    [Test, CancelAfter(180_000)]
    public async Task Ten_thousand_config_maps_are_listed_and_watched(CancellationToken cancellationToken)
    {
        for (var i = 0; i < 10_000; i++) Server.Put($"node-{i:00000}");
        var informer = Run(Quick with { PageSize = 500 });
        await informer.WaitForSyncAsync(cancellationToken);
        informer.Count.Should().Be(10_000);
        Server.Requests.Count(url => !url.Contains("watch=true")).Should().Be(20);

        for (var i = 0; i < 10_000; i += 100) Server.Delete($"node-{i:00000}");
        await UntilAsync(() => informer.Count == 9_900, cancellationToken);
    }

    [TestCase(0, nameof(InformerOptions.PageSize))]
    [TestCase(5001, nameof(InformerOptions.PageSize))]
    public void A_setting_out_of_range_is_refused_with_name_value_and_range(int size, string name) =>
        FluentActions.Invoking(() => Run(Quick with { PageSize = size }))
            .Should().Throw<ArgumentOutOfRangeException>().WithMessage($"*{name} is {size}; it must be between 1 and 5000*");

    private static async Task AdvanceUntilAsync(FakeTimeProvider clock, TimeSpan step, Func<bool> condition, CancellationToken cancellationToken)
    {
        while (!condition())
        {
            clock.Advance(step);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        }
    }
}
