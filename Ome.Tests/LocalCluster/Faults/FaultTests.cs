using Ome.LocalCluster;
using Ome.LocalCluster.Faults;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Faults;

/// <summary>The control plane can be told to fail, and fails exactly so.</summary>
public sealed class FaultTests
{
    private const string ConfigMaps = "/api/v1/namespaces/default/configmaps";

    private InProcessControlPlane _plane = null!;
    private RawApi _api = null!;

    private FaultInjector Faults => _plane.Faults;

    [SetUp]
    public async Task StartAsync()
    {
        _plane = await InProcessControlPlane.StartAsync(CancellationToken.None, new LocalClusterOptions { HistoryPerKind = 50 });
        _api = new RawApi(_plane.Configuration);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _api.Dispose();
        await _plane.DisposeAsync();
    }

    [TestCase(409, "Conflict")]
    [TestCase(429, "TooManyRequests")]
    [TestCase(500, "InternalError")]
    [TestCase(503, "ServiceUnavailable")]
    [CancelAfter(120_000)]
    public async Task A_rule_answers_with_its_code_as_often_as_it_says(int code, string reason, CancellationToken ct)
    {
        using var rule = Faults.Add(new FaultRule { Verb = "create", Resource = "configmaps", Code = code, RetryAfterSeconds = 7, Skip = 1, Times = 2 });

        (await CreateAsync("a", ct)).Expect(201);
        var refused = (await CreateAsync("b", ct)).Refused(code, reason);
        (await CreateAsync("b", ct)).Refused(code, reason);
        (await CreateAsync("b", ct)).Expect(201);

        refused.RetryAfter.Should().Be(TimeSpan.FromSeconds(7));
        ((int?)refused.Json["details"]!["retryAfterSeconds"]).Should().Be(7);
        rule.Hits.Should().Be(2);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_rule_hits_only_what_it_names(CancellationToken ct)
    {
        await CreateAsync("a", ct);
        using var rule = Faults.Add(new FaultRule { Verb = "get", Resource = "configmaps", Namespace = "default", Name = "a", Code = 500 });

        (await _api.GetAsync($"{ConfigMaps}/a", ct)).Refused(500, "InternalError");
        (await _api.GetAsync($"{ConfigMaps}/b", ct)).Refused(404, "NotFound");
        (await _api.GetAsync(ConfigMaps, ct)).Expect(200);
        (await _api.GetAsync("/api/v1/namespaces/default/secrets/a", ct)).Refused(404, "NotFound");
        rule.Dispose();
        (await _api.GetAsync($"{ConfigMaps}/a", ct)).Expect(200);
    }

    [Test, CancelAfter(120_000)]
    public async Task Latency_delays_and_then_works(CancellationToken ct)
    {
        using var rule = Faults.Add(new FaultRule { Verb = "create", Latency = TimeSpan.FromMilliseconds(300), Times = 1 });
        var started = System.Diagnostics.Stopwatch.GetTimestamp();

        (await CreateAsync("a", ct)).Expect(201);

        System.Diagnostics.Stopwatch.GetElapsedTime(started).Should().BeGreaterThan(TimeSpan.FromMilliseconds(290));
    }

    [Test, CancelAfter(120_000)]
    public async Task A_lost_answer_did_its_work(CancellationToken ct)
    {
        using var rule = Faults.Add(new FaultRule { Verb = "create", LoseAnswer = true, Times = 1 });

        await FluentActions.Awaiting(() => CreateAsync("a", ct)).Should().ThrowAsync<HttpRequestException>();

        (await _api.GetAsync($"{ConfigMaps}/a", ct)).Expect(200);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_cut_connection_did_nothing(CancellationToken ct)
    {
        using var rule = Faults.Add(new FaultRule { Verb = "create", CutConnection = true, Times = 1 });

        await FluentActions.Awaiting(() => CreateAsync("a", ct)).Should().ThrowAsync<HttpRequestException>();

        (await _api.GetAsync($"{ConfigMaps}/a", ct)).Refused(404, "NotFound");
    }

    [Test]
    public void A_watch_that_ended_by_itself_just_before_is_dropped_without_a_fault()
    {
        var session = Faults.OpenWatch("configmaps", CancellationToken.None);
        session.Dispose();

        session.Invoking(static ended => ended.Drop()).Should().NotThrow("it was still among the open ones when the dropping began");
    }

    [Test, CancelAfter(120_000)]
    public async Task Dropped_watches_end_cleanly_and_can_be_resumed(CancellationToken ct)
    {
        var version = (await CreateAsync("a", ct)).ResourceVersion;
        await using var watch = await _api.OpenWatchAsync($"{ConfigMaps}?watch=true&resourceVersion={version}", ct);
        Faults.OpenWatches("configmaps").Should().Be(1);

        Faults.DropWatches("secrets").Should().Be(0);
        Faults.DropWatches("configmaps").Should().Be(1);
        (await watch.NextAsync(ct)).Should().BeNull();
        await CreateAsync("b", ct);

        await using var resumed = await _api.OpenWatchAsync($"{ConfigMaps}?watch=true&resourceVersion={version}", ct);
        (await resumed.NextAsync(1, ct)).Should().Equal("ADDED b");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_silenced_watch_stays_open_and_says_nothing(CancellationToken ct)
    {
        var version = (await CreateAsync("a", ct)).ResourceVersion;
        await using var silenced = await _api.OpenWatchAsync($"{ConfigMaps}?watch=true&resourceVersion={version}", ct);
        Faults.SilenceWatches("configmaps").Should().Be(1);
        Faults.UnsilenceWatches("configmaps");
        await using var speaking = await _api.OpenWatchAsync($"{ConfigMaps}?watch=true&resourceVersion={version}", ct);

        await CreateAsync("b", ct);
        (await speaking.NextAsync(1, ct)).Should().Equal("ADDED b");

        var silence = silenced.NextAsync(ct);
        (await Task.WhenAny(silence, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, ct))).Should().NotBe(silence);
        Faults.OpenWatches("configmaps").Should().Be(2);
        Faults.DropWatches();
        (await silence).Should().BeNull();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_history_that_is_full_forgets_its_oldest_changes(CancellationToken ct)
    {
        var version = (await CreateAsync("a", ct)).ResourceVersion;
        for (var i = 0; i < 60; i++) await _api.PatchAsync($"{ConfigMaps}/a", RawApi.MergePatch, $$$"""{"data":{"k":"{{{i}}}"}}""", ct);

        await using var watch = await _api.OpenWatchAsync($"{ConfigMaps}?watch=true&resourceVersion={version}", ct);

        ((int?)(await watch.NextAsync(ct))!.Object["code"]).Should().Be(410);
        (await _api.GetAsync($"{ConfigMaps}?resourceVersion={version}&resourceVersionMatch=Exact", ct)).Refused(410, "Expired");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_paged_list_whose_history_is_gone_has_expired(CancellationToken ct)
    {
        for (var i = 0; i < 3; i++) await CreateAsync($"p{i}", ct);
        var token = (string)(await _api.GetAsync($"{ConfigMaps}?limit=1", ct)).Metadata["continue"]!;
        Faults.TruncateHistory();
        await CreateAsync("late", ct);

        (await _api.GetAsync($"{ConfigMaps}?limit=1&continue={token}", ct)).Refused(410, "Expired");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_live_watch_survives_a_truncated_history(CancellationToken ct)
    {
        var version = (await CreateAsync("a", ct)).ResourceVersion;
        await using var watch = await _api.OpenWatchAsync($"{ConfigMaps}?watch=true&resourceVersion={version}", ct);
        await CreateAsync("b", ct);
        (await watch.NextAsync(1, ct)).Should().Equal("ADDED b");

        Faults.TruncateHistory();

        // What the watch has seen is not lost; if the truncation overtook it, 410 tells it to list again. Nothing is skipped in silence.
        await CreateAsync("c", ct);
        (await watch.NextAsync(ct))!.ToString().Should().BeOneOf("ADDED c", "ERROR ");
    }

    [Test, CancelAfter(120_000)]
    public async Task In_an_outage_nothing_answers_and_watches_are_cut(CancellationToken ct)
    {
        await CreateAsync("a", ct);
        await using var watch = await _api.OpenWatchAsync($"{ConfigMaps}?watch=true", ct);
        await watch.NextAsync(1, ct);

        Faults.BeginOutage();

        await FluentActions.Awaiting(() => watch.NextAsync(ct)).Should().ThrowAsync<IOException>();
        await FluentActions.Awaiting(() => _api.GetAsync(ConfigMaps, ct)).Should().ThrowAsync<HttpRequestException>();
        Faults.EndOutage();
        (await _api.GetAsync($"{ConfigMaps}/a", ct)).Expect(200);
    }

    [Test, CancelAfter(120_000)]
    public async Task Faults_can_be_ordered_over_http_by_the_administrator_only(CancellationToken ct)
    {
        var added = (await _api.PostAsync("/local-cluster/faults", """{"verb":"list","resource":"configmaps","code":503,"times":1}""", ct)).Expect(200);
        (await _api.GetAsync(ConfigMaps, ct)).Refused(503, "ServiceUnavailable");
        (await _api.GetAsync(ConfigMaps, ct)).Expect(200);
        (await _api.DeleteAsync($"/local-cluster/faults/{(int)added.Json["id"]!}", ct)).Expect(200);
        (await _api.PostAsync("/local-cluster/history/truncate", "", ct)).Expect(200);
        (await _api.PostAsync("/local-cluster/watches/drop", "", ct)).Expect(200);
        (await _api.PostAsync("/local-cluster/outage?seconds=forever", "", ct)).Refused(400, "BadRequest");
        (await _api.GetAsync("/local-cluster/faults", ct)).Expect(200).Json["rules"]!.AsArray().Should().BeEmpty();

        using var other = new RawApi(await _plane.CreateServiceAccountConfigurationAsync("default", "agent", ct));
        (await other.PostAsync("/local-cluster/faults", "{}", ct)).Refused(403, "Forbidden");
    }

    [Test, CancelAfter(120_000)]
    public async Task An_outage_ordered_over_http_ends_by_itself(CancellationToken ct)
    {
        (await _api.PostAsync("/local-cluster/outage?seconds=0.3", "", ct)).Expect(200);

        while (!Faults.IsDown) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, ct);
        while (Faults.IsDown) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, ct);
        (await _api.GetAsync(ConfigMaps, ct)).Expect(200);
    }

    [Test, CancelAfter(120_000)]
    public async Task The_request_log_tells_reads_from_writes(CancellationToken ct)
    {
        _plane.Requests.Clear();
        await CreateAsync("a", ct);
        await _api.GetAsync($"{ConfigMaps}/a", ct);
        await _api.PatchAsync($"{ConfigMaps}/a", RawApi.MergePatch, "{}", ct);

        _plane.Requests.Last.Select(r => r.Verb).Should().Equal("create", "get", "patch");
        _plane.Requests.Writes.Select(r => r.Verb).Should().Equal("create", "patch");
    }

    private Task<RawAnswer> CreateAsync(string name, CancellationToken ct) => _api.PostAsync(ConfigMaps, $$$"""{"metadata":{"name":"{{{name}}}"}}""", ct);
}
