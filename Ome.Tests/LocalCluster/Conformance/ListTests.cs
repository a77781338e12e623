namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>Selectors, pages and versions of lists.</summary>
public sealed class ListTests : ConformanceTest
{
    [TestCase("", "a,b,c,d")]
    [TestCase("tier=1", "a,b")]
    [TestCase("tier==1", "a,b")]
    [TestCase("tier!=1", "c,d")]
    [TestCase("tier in (1,2)", "a,b,c")]
    [TestCase("tier notin (1)", "c,d")]
    [TestCase("tier", "a,b,c")]
    [TestCase("!tier", "d")]
    [TestCase("tier=1,gpu=h100", "b")]
    [TestCase("tier,gpu notin (h100,l4)", "a,c")]
    [TestCase("models.ome.io/clusterbasemodel.x=Ready", "d")]
    [CancelAfter(120_000)]
    public async Task A_label_selector_chooses(string selector, string expected, CancellationToken ct)
    {
        await CreateAsync("a", ct, metadata: ""","labels":{"test":"1","tier":"1"}""");
        await CreateAsync("b", ct, metadata: ""","labels":{"test":"1","tier":"1","gpu":"h100"}""");
        await CreateAsync("c", ct, metadata: ""","labels":{"test":"1","tier":"2"}""");
        await CreateAsync("d", ct, metadata: ""","labels":{"test":"1","models.ome.io/clusterbasemodel.x":"Ready"}""");

        var both = selector.Length == 0 ? "test" : $"test,{selector}";
        Names(await Api.GetAsync($"{ConfigMaps}?labelSelector={Uri.EscapeDataString(both)}", ct)).Should().Equal(expected.Split(','));
    }

    [Test, CancelAfter(120_000)]
    public async Task A_field_selector_chooses_by_name_and_namespace(CancellationToken ct)
    {
        await CreateAsync("a", ct);
        await CreateAsync("b", ct);

        Names(await Api.GetAsync($"{ConfigMaps}?fieldSelector=metadata.name%3Da", ct)).Should().Equal("a");
        Names(await Api.GetAsync($"{ConfigMaps}?fieldSelector=metadata.name!%3Da", ct)).Should().Contain("b").And.NotContain("a");
        Names(await Api.GetAsync($"/api/v1/configmaps?fieldSelector=metadata.namespace%3D{Namespace},metadata.name%3Db", ct)).Should().Equal("b");
    }

    [Test, CancelAfter(120_000)]
    public async Task Pods_are_found_by_node(CancellationToken ct)
    {
        var pods = $"/api/v1/namespaces/{Namespace}/pods";
        foreach (var node in new[] { "n1", "n2" })
            (await Api.PostAsync(pods, $$$"""{"metadata":{"name":"on-{{{node}}}"},"spec":{"nodeName":"{{{node}}}","containers":[{"name":"c","image":"i"}]}}""", ct)).Expect(201);

        Names(await Api.GetAsync($"{pods}?fieldSelector=spec.nodeName%3Dn1", ct)).Should().Equal("on-n1");
    }

    [Test, CancelAfter(120_000)]
    public async Task Pages_together_are_the_list_as_it_was_at_the_first_page(CancellationToken ct)
    {
        var before = new List<string>();
        for (var i = 0; i < 7; i++) before.Add((string)(await CreateAsync($"page-{i}", ct, metadata: ""","labels":{"p":"1"}""")).Metadata["name"]!);

        var seen = new List<string>();
        var page = await Api.GetAsync($"{ConfigMaps}?labelSelector=p&limit=3", ct);
        var version = page.ResourceVersion;
        seen.AddRange(Names(page));
        seen.Should().HaveCount(3);
        await CreateAsync("page-2a", ct, metadata: ""","labels":{"p":"1"}""");
        (await Api.DeleteAsync($"{ConfigMaps}/page-5", ct)).Expect(200);
        while ((string?)page.Metadata["continue"] is { Length: > 0 } token)
        {
            page = await Api.GetAsync($"{ConfigMaps}?labelSelector=p&limit=3&continue={Uri.EscapeDataString(token)}", ct);
            page.ResourceVersion.Should().Be(version, "all pages are of one version");
            seen.AddRange(Names(page));
        }

        seen.Should().Equal(before);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_page_says_how_much_is_left(CancellationToken ct)
    {
        var secrets = $"/api/v1/namespaces/{Namespace}/secrets";
        for (var i = 0; i < 5; i++) (await Api.PostAsync(secrets, $$$"""{"metadata":{"name":"s{{{i}}}"}}""", ct)).Expect(201);

        var page = await Api.GetAsync($"{secrets}?limit=2", ct);

        ((long?)page.Metadata["remainingItemCount"]).Should().Be(3);
        page.Metadata["continue"].Should().NotBeNull();
    }

    [Test, CancelAfter(120_000)]
    public async Task An_exact_version_shows_the_past(CancellationToken ct)
    {
        await CreateAsync("a", ct);
        var then = (await Api.GetAsync(ConfigMaps, ct)).ResourceVersion;
        await CreateAsync("b", ct);

        Names(await Api.GetAsync($"{ConfigMaps}?resourceVersion={then}&resourceVersionMatch=Exact", ct)).Should().Contain("a").And.NotContain("b");
        Names(await Api.GetAsync($"{ConfigMaps}?resourceVersion={then}&resourceVersionMatch=NotOlderThan", ct)).Should().Contain("a");
        Names(await Api.GetAsync($"{ConfigMaps}?resourceVersion=0", ct)).Should().Contain("a");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_version_of_the_future_is_a_Timeout(CancellationToken ct)
    {
        var refused = (await Api.GetAsync($"{ConfigMaps}?resourceVersion=999999999&resourceVersionMatch=NotOlderThan", ct)).Refused(504, "Timeout");

        ((string?)refused.Json["message"]).Should().Contain("Too large resource version");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_list_names_its_kind_and_all_namespaces_can_be_listed(CancellationToken ct)
    {
        await CreateAsync("a", ct);

        var list = (await Api.GetAsync("/api/v1/configmaps", ct)).Expect(200);

        ((string?)list.Json["kind"]).Should().Be("ConfigMapList");
        list.Json["items"]!.AsArray().Should().Contain(i => (string?)i!["metadata"]!["namespace"] == Namespace);
    }
}
