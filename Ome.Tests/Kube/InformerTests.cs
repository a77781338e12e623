using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Ome.Shared.Kube;
using Ome.Tests.Support;

namespace Ome.Tests.Kube;

public sealed class InformerTests
{
    private const int Limit = 120_000;

    private static readonly InformerOptions Quick = new()
    {
        Namespace = "ome",
        BackoffFirst = TimeSpan.FromMilliseconds(5),
        BackoffCap = TimeSpan.FromMilliseconds(20),
    };

    private WatchServer _server = null!;
    private Channel<InformerEvent<string>> _events = null!;
    private RecordingLogger<Informer<V1ConfigMap, string>> _log = null!;
    private ConcurrentQueue<(string Name, bool IsMisfit)> _misfits = null!;
    private CancellationTokenSource _stop = null!;
    private Task _running = Task.CompletedTask;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await WatchServer.StartAsync();
        _events = Channel.CreateUnbounded<InformerEvent<string>>();
        _log = new();
        _misfits = [];
        _stop = new();
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await _server.DisposeAsync();
        _stop.Dispose();
    }

    [Test, CancelAfter(Limit)]
    public async Task Everything_is_listed_in_pages_of_one_namespace_and_selector(CancellationToken cancellationToken)
    {
        for (var i = 0; i < 25; i++) _server.Put($"node-{i:00}");

        var informer = Run(Quick with { PageSize = 10, LabelSelector = "a=b", FieldSelector = "metadata.name!=x" });
        await informer.WaitForSyncAsync(cancellationToken);

        informer.Count.Should().Be(25);
        informer.HasSynced.Should().BeTrue();
        var lists = _server.Requests.Where(url => !url.Contains("watch=true")).ToList();
        lists.Should().HaveCount(3).And.OnlyContain(url => url.StartsWith("/api/v1/namespaces/ome/configmaps?limit=10"));
        lists.Should().OnlyContain(url => url.Contains("labelSelector=a%3Db") && url.Contains("fieldSelector=metadata.name%21%3Dx"));
    }

    [Test, CancelAfter(Limit)]
    public async Task Changes_arrive_in_order_with_what_was_before(CancellationToken cancellationToken)
    {
        var informer = Run(Quick);
        await informer.WaitForSyncAsync(cancellationToken);

        var first = _server.Put("a");
        var second = _server.Put("a");
        _server.Delete("a");

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
        var last = _server.Put("a");
        await NextAsync(cancellationToken);
        _server.Requests.Clear();

        _server.DropWatches();
        _server.Put("b");

        (await NextAsync(cancellationToken)).Object.Name.Name.Should().Be("b");
        _server.Requests.Should().OnlyContain(url => url.Contains("watch=true"));
        _server.Requests.Last().Should().Contain($"resourceVersion={last}");
    }

    [Test, CancelAfter(Limit)]
    public async Task A_bookmark_moves_the_place_to_resume_from(CancellationToken cancellationToken)
    {
        var informer = Run(Quick);
        await informer.WaitForSyncAsync(cancellationToken);
        _server.Bookmark();
        _server.Put("a");
        await NextAsync(cancellationToken);
        _server.Bookmark();
        _server.Put("b");
        await NextAsync(cancellationToken);
        _server.Requests.Clear();

        _server.DropWatches();
        await UntilAsync(() => !_server.Requests.IsEmpty, cancellationToken);

        _server.Requests.First().Should().Contain("resourceVersion=104");
        informer.Count.Should().Be(2);
    }

    [Test, CancelAfter(Limit)]
    public async Task What_was_deleted_while_history_was_lost_is_reported_as_deleted(CancellationToken cancellationToken)
    {
        foreach (var name in new[] { "stays", "goes", "changes", "reborn" }) _server.Put(name);
        var informer = Run(Quick with { PageSize = 2 });
        await informer.WaitForSyncAsync(cancellationToken);
        for (var i = 0; i < 4; i++) await NextAsync(cancellationToken);

        _server.Refusal = 503;
        _server.DropWatches();
        _server.Delete("goes");
        _server.Put("changes");
        _server.Delete("reborn");
        _server.Put("reborn");
        _server.Compact();
        _server.Refusal = null;

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
        _events.Reader.TryRead(out _).Should().BeFalse("what stayed as it was is no news");
    }

    [Test, CancelAfter(Limit)]
    public async Task A_list_whose_continue_token_expires_starts_again(CancellationToken cancellationToken)
    {
        for (var i = 0; i < 6; i++) _server.Put($"n{i}");
        var compactions = 0;
        _server.BeforePage = page =>
        {
            if (page != 1 || compactions++ > 0) return;
            _server.Delete("n0");
            _server.Compact();
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
        _server.Silent = true;
        var informer = Run(Quick, clock);
        await informer.WaitForSyncAsync(cancellationToken);
        await UntilAsync(() => _server.OpenWatches == 1, cancellationToken);
        _server.Put("a");
        _server.Silent = false;

        await AdvanceUntilAsync(clock, TimeSpan.FromSeconds(10), () => _events.Reader.Count == 1, cancellationToken);

        _log.Lines.Should().ContainSingle(line => line.Id == 2101).Which.Text.Should().Contain("silent for 150 s");
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
        _server.Refusal = status;
        var informer = Run(Quick);
        await UntilAsync(() => _log.Lines.Count(line => line.Id == 2102) >= 3, cancellationToken);
        var asked = _server.Requests.Count;

        _log.Lines.Count.Should().BeLessThanOrEqualTo(asked + 1);
        _log.Lines.Should().OnlyContain(line => line.Text.Contains(cause) && line.Text.Contains(remedy));
        informer.HasSynced.Should().BeFalse();
        informer.Failures.Should().BeGreaterThanOrEqualTo(3);

        _server.Refusal = null;
        await informer.WaitForSyncAsync(cancellationToken);
        _server.Put("a");
        await NextAsync(cancellationToken);
        informer.Failures.Should().Be(0);
    }

    [Test, CancelAfter(Limit)]
    public async Task An_unreachable_server_is_named_with_the_remedy(CancellationToken cancellationToken)
    {
        await _server.DisposeAsync();
        var dead = new k8s.Kubernetes(new k8s.KubernetesClientConfiguration { Host = _server.Client.BaseUri.ToString() });
        _server = await WatchServer.StartAsync();
        var informer = new Informer<V1ConfigMap, string>(dead, Quick, item => item.Name(), (_, _) => ValueTask.CompletedTask, TimeProvider.System, _log);
        _running = informer.RunAsync(_stop.Token);

        await UntilAsync(() => _log.Lines.Count >= 2, cancellationToken);

        _log.Lines.First().Text.Should().Contain($"127.0.0.1:{dead.BaseUri.Port} cannot be reached").And.Contain("KUBERNETES_SERVICE_HOST");
        await _stop.CancelAsync();
        await _running;
        dead.Dispose();
    }

    [Test, CancelAfter(Limit)]
    public async Task The_server_is_given_the_time_it_asks_for(CancellationToken cancellationToken)
    {
        var clock = new FakeTimeProvider();
        _server.Refusal = 429;
        Run(Quick, clock);
        await UntilAsync(() => !_log.Lines.IsEmpty, cancellationToken);
        _log.Lines.First().Text.Should().Contain("in 2.0 s");

        clock.Advance(TimeSpan.FromSeconds(1.9));
        _server.Requests.Should().ContainSingle();
        await AdvanceUntilAsync(clock, TimeSpan.FromSeconds(0.2), () => _server.Requests.Count == 2, cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_server_that_ends_each_watch_at_once_is_not_asked_in_a_tight_loop(CancellationToken cancellationToken)
    {
        _server.ClosesAtOnce = true;
        var clock = new FakeTimeProvider();
        var informer = Run(Quick with { BackoffFirst = TimeSpan.FromSeconds(1), BackoffCap = TimeSpan.FromSeconds(30) }, clock);

        await UntilAsync(() => informer.Failures == 1, cancellationToken);

        _server.Requests.Should().HaveCount(2, "one list, one watch, then a pause on the clock that stands still");
    }

    [Test, CancelAfter(Limit)]
    public async Task A_change_whose_handler_failed_is_delivered_again_and_the_others_are_not_held_up(CancellationToken cancellationToken)
    {
        foreach (var name in new[] { "a", "bad", "c" }) _server.Put(name);
        var failuresLeft = 2;
        var informer = Run(Quick, handler: (change, _) =>
        {
            if (change.Object.Name.Name == "bad" && failuresLeft-- > 0) throw new InvalidOperationException("no");
            _events.Writer.TryWrite(change);
            return ValueTask.CompletedTask;
        });

        await informer.WaitForSyncAsync(cancellationToken);

        var names = new List<string>();
        while (_events.Reader.TryRead(out var change)) names.Add(change.Object.Name.Name);
        names.Should().Equal("a", "c", "bad");
        _log.Lines.Count(line => line.Id == 2104).Should().Be(2);
    }

    [Test, CancelAfter(Limit)]
    public async Task Lost_deletions_are_retried_until_the_handler_took_them(CancellationToken cancellationToken)
    {
        _server.Put("a");
        var refusals = 3;
        var informer = Run(Quick, handler: (change, _) =>
        {
            if (change.Type == InformerEventType.Deleted && refusals-- > 0) throw new InvalidOperationException("no");
            _events.Writer.TryWrite(change);
            return ValueTask.CompletedTask;
        });
        await informer.WaitForSyncAsync(cancellationToken);
        await NextAsync(cancellationToken);

        _server.Delete("a");

        (await NextAsync(cancellationToken)).Type.Should().Be(InformerEventType.Deleted);
        refusals.Should().Be(-1);
        informer.Count.Should().Be(0);
    }

    [Test, CancelAfter(Limit)]
    public async Task The_projection_sees_kind_and_apiVersion_also_in_lists_and_no_managed_fields(CancellationToken cancellationToken)
    {
        _server.Put("a", fill: body => body["metadata"]!["managedFields"] = new JsonArray(new JsonObject { ["manager"] = "x" }));
        var informer = new Informer<V1ConfigMap, string>(
            _server.Client, Quick, map => $"{map.ApiVersion}/{map.Kind}/{map.Metadata.ManagedFields?.Count}", (_, _) => ValueTask.CompletedTask, TimeProvider.System, _log);
        _running = informer.RunAsync(_stop.Token);
        await informer.WaitForSyncAsync(cancellationToken);

        informer.Snapshot().Should().Equal("v1/ConfigMap/");
    }

    [Test, CancelAfter(Limit)]
    public async Task One_object_that_cannot_be_read_hides_no_other_and_is_told_of_once_for_each_version(CancellationToken cancellationToken)
    {
        foreach (var name in new[] { "a", "c" }) _server.Put(name);
        _server.Put("b", fill: Spoil);
        var informer = Run(Quick with { PageSize = 2 });
        await informer.WaitForSyncAsync(cancellationToken);

        informer.Snapshot().Should().HaveCount(2);
        (await NextAsync(cancellationToken)).Object.Name.Name.Should().Be("a");
        (await NextAsync(cancellationToken)).Object.Name.Name.Should().Be("c");
        _misfits.Should().Equal(("b", true));
        Told("b").Should().ContainSingle().Which.Should().Contain("$.data");

        await RelistAsync(cancellationToken);
        Told("b").Should().ContainSingle("it is the version that was told of");
        _server.Put("b", fill: Spoil);
        await UntilAsync(() => Told("b").Count == 2, cancellationToken);

        _server.Put("b");
        (await NextAsync(cancellationToken)).Should().Match<InformerEvent<string>>(e => e.Type == InformerEventType.Added && e.Object.Name.Name == "b");
        await UntilAsync(() => _misfits.LastOrDefault() == ("b", false), cancellationToken);
        informer.Count.Should().Be(3);
    }

    [TestCase(false), TestCase(true), CancelAfter(Limit)]
    public async Task What_was_known_of_an_object_stands_until_it_can_be_read_or_is_gone(bool relists, CancellationToken cancellationToken)
    {
        var good = _server.Put("a");
        var informer = Run(Quick);
        await informer.WaitForSyncAsync(cancellationToken);
        await NextAsync(cancellationToken);

        _server.Put("a", fill: Spoil);
        await UntilAsync(() => _misfits.Contains(("a", true)), cancellationToken);
        if (relists) await RelistAsync(cancellationToken);
        informer.Snapshot().Should().Equal(good);
        _events.Reader.TryRead(out _).Should().BeFalse("it is not gone");

        _server.Delete("a");
        (await NextAsync(cancellationToken)).Should().Match<InformerEvent<string>>(e => e.Type == InformerEventType.Deleted && e.Item == good);
        await UntilAsync(() => _misfits.Contains(("a", false)), cancellationToken);
        informer.Count.Should().Be(0);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_misfit_that_went_while_nobody_watched_is_told_of(CancellationToken cancellationToken)
    {
        _server.Put("a", fill: Spoil);
        var informer = Run(Quick);
        await informer.WaitForSyncAsync(cancellationToken);

        _server.Refusal = 503;
        _server.DropWatches();
        _server.Delete("a");
        _server.Compact();
        _server.Refusal = null;

        await UntilAsync(() => _misfits.Contains(("a", false)), cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_projection_that_throws_costs_only_its_object(CancellationToken cancellationToken)
    {
        foreach (var name in new[] { "a", "bad", "c" }) _server.Put(name);
        var informer = new Informer<V1ConfigMap, string>(
            _server.Client, Quick, map => map.Name() == "bad" ? throw new FormatException("no number") : map.Name(), (_, _) => ValueTask.CompletedTask, TimeProvider.System, _log, Note);
        _running = informer.RunAsync(_stop.Token);
        await informer.WaitForSyncAsync(cancellationToken);

        informer.Snapshot().Should().BeEquivalentTo("a", "c");
        _misfits.Should().Equal(("bad", true));
        Told("bad").Should().ContainSingle().Which.Should().Contain("no number");
        _server.Put("d");
        await UntilAsync(() => informer.Count == 3, cancellationToken);
    }

    [Test, CancelAfter(180_000)]
    public async Task Ten_thousand_config_maps_are_listed_and_watched(CancellationToken cancellationToken)
    {
        for (var i = 0; i < 10_000; i++) _server.Put($"node-{i:00000}");
        var informer = Run(Quick with { PageSize = 500 });
        await informer.WaitForSyncAsync(cancellationToken);
        informer.Count.Should().Be(10_000);
        _server.Requests.Count(url => !url.Contains("watch=true")).Should().Be(20);

        for (var i = 0; i < 10_000; i += 100) _server.Delete($"node-{i:00000}");
        await UntilAsync(() => informer.Count == 9_900, cancellationToken);
    }

    [TestCase(0, nameof(InformerOptions.PageSize))]
    [TestCase(5001, nameof(InformerOptions.PageSize))]
    public void A_setting_out_of_range_is_refused_with_name_value_and_range(int size, string name) =>
        FluentActions.Invoking(() => Run(Quick with { PageSize = size }))
            .Should().Throw<ArgumentOutOfRangeException>().WithMessage($"*{name} is {size}; it must be between 1 and 5000*");

    private Informer<V1ConfigMap, string> Run(InformerOptions options, TimeProvider? time = null, InformerHandler<string>? handler = null)
    {
        handler ??= (change, _) => _events.Writer.TryWrite(change) ? ValueTask.CompletedTask : throw new InvalidOperationException("closed");
        var informer = new Informer<V1ConfigMap, string>(_server.Client, options, item => item.ResourceVersion(), handler, time ?? TimeProvider.System, _log, Note);
        _running = informer.RunAsync(_stop.Token);
        return informer;
    }

    private void Note(ObjectName name, bool isMisfit) => _misfits.Enqueue((name.Name, isMisfit));

    private List<string> Told(string name) => [.. _log.Lines.Where(line => line.Id == 2105 && line.Text.Contains($"ome/{name} ")).Select(line => line.Text)];

    /// <summary>Data is an object in every other.</summary>
    private static void Spoil(JsonObject body) => body["data"] = "a text";

    /// <summary>History is lost, and the next list handled.</summary>
    private async Task RelistAsync(CancellationToken cancellationToken)
    {
        _server.Refusal = 503;
        _server.DropWatches();
        _server.Put("after");
        _server.Compact();
        _server.Refusal = null;
        (await NextAsync(cancellationToken)).Object.Name.Name.Should().Be("after");
        _server.Delete("after");
        (await NextAsync(cancellationToken)).Type.Should().Be(InformerEventType.Deleted);
    }

    private async Task<InformerEvent<string>> NextAsync(CancellationToken cancellationToken) => await _events.Reader.ReadAsync(cancellationToken);

    private static async Task UntilAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        while (!condition()) await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, cancellationToken);
    }

    private static async Task AdvanceUntilAsync(FakeTimeProvider clock, TimeSpan step, Func<bool> condition, CancellationToken cancellationToken)
    {
        while (!condition())
        {
            clock.Advance(step);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        }
    }
}
