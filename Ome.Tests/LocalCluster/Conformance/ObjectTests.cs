namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>Create, read and update: what holds for every kind, shown on ConfigMaps.</summary>
public sealed class ObjectTests : ConformanceTest
{
    [Test, CancelAfter(120_000)]
    public async Task A_created_object_gets_its_identity_from_the_server(CancellationToken ct)
    {
        var created = await CreateAsync("a", ct, metadata: """,'uid':'mine','creationTimestamp':'2001-01-01T00:00:00Z','generation':7""".Replace('\'', '"'));

        ((string?)created.Metadata["uid"]).Should().NotBe("mine");
        ((string?)created.Metadata["creationTimestamp"]).Should().NotStartWith("2001");
        long.Parse(created.ResourceVersion).Should().BePositive();
        ((string?)created.Metadata["namespace"]).Should().Be(Namespace);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_second_create_of_one_name_is_AlreadyExists(CancellationToken ct)
    {
        await CreateAsync("a", ct);

        var refused = (await Api.PostAsync(ConfigMaps, ConfigMap("a"), ct)).Refused(409, "AlreadyExists");

        ((string?)refused.Json["details"]!["name"]).Should().Be("a");
        ((string?)refused.Json["details"]!["kind"]).Should().Be("configmaps");
    }

    [Test, CancelAfter(120_000)]
    public async Task generateName_makes_unique_names_with_that_prefix(CancellationToken ct)
    {
        const string Body = """{"metadata":{"generateName":"part-"}}""";
        var first = (string)(await Api.PostAsync(ConfigMaps, Body, ct)).Expect(201).Metadata["name"]!;
        var second = (string)(await Api.PostAsync(ConfigMaps, Body, ct)).Expect(201).Metadata["name"]!;

        first.Should().StartWith("part-").And.HaveLength(10).And.NotBe(second);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_missing_object_is_NotFound_with_its_name(CancellationToken ct)
    {
        var refused = (await Api.GetAsync($"{ConfigMaps}/none", ct)).Refused(404, "NotFound");

        ((string?)refused.Json["message"]).Should().Be("configmaps \"none\" not found");
        ((string?)refused.Json["details"]!["name"]).Should().Be("none");
    }

    [Test, CancelAfter(120_000)]
    public async Task Creating_in_a_namespace_that_is_not_there_is_NotFound(CancellationToken ct)
    {
        var refused = (await Api.PostAsync("/api/v1/namespaces/nowhere/configmaps", ConfigMap("a"), ct)).Refused(404, "NotFound");

        ((string?)refused.Json["details"]!["kind"]).Should().Be("namespaces");
    }

    [Test, CancelAfter(120_000)]
    public async Task Each_change_raises_the_resourceVersion_over_all_kinds(CancellationToken ct)
    {
        var first = long.Parse((await CreateAsync("a", ct)).ResourceVersion);
        var secret = (await Api.PostAsync($"/api/v1/namespaces/{Namespace}/secrets", """{"metadata":{"name":"s"}}""", ct)).Expect(201);
        var second = long.Parse(secret.ResourceVersion);
        var updated = (await Api.PutAsync($"{ConfigMaps}/a", ConfigMap("a", "2"), ct)).Expect(200);

        second.Should().BeGreaterThan(first);
        long.Parse(updated.ResourceVersion).Should().BeGreaterThan(second);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_write_that_changes_nothing_keeps_the_resourceVersion(CancellationToken ct)
    {
        var created = await CreateAsync("a", ct);

        var put = (await Api.PutAsync($"{ConfigMaps}/a", created.Text, ct)).Expect(200);
        var patched = (await Api.PatchAsync($"{ConfigMaps}/a", Support.ControlPlanes.RawApi.MergePatch, """{"data":{"k":"1"}}""", ct)).Expect(200);

        put.ResourceVersion.Should().Be(created.ResourceVersion);
        patched.ResourceVersion.Should().Be(created.ResourceVersion);
    }

    [Test, CancelAfter(120_000)]
    public async Task An_update_cannot_change_identity(CancellationToken ct)
    {
        var created = await CreateAsync("a", ct);

        var updated = (await Api.PutAsync($"{ConfigMaps}/a", ConfigMap("a", "2", ""","creationTimestamp":"2001-01-01T00:00:00Z" """), ct)).Expect(200);
        var otherUid = await Api.PutAsync($"{ConfigMaps}/a", ConfigMap("a", "3", ""","uid":"11111111-1111-1111-1111-111111111111" """), ct);
        var otherName = await Api.PutAsync($"{ConfigMaps}/a", ConfigMap("b", "3"), ct);

        ((string?)updated.Metadata["uid"]).Should().Be((string?)created.Metadata["uid"]);
        ((string?)updated.Metadata["creationTimestamp"]).Should().Be((string?)created.Metadata["creationTimestamp"]);
        otherUid.Refused(409, "Conflict");
        otherName.Refused(400, "BadRequest");
    }

    [Test, CancelAfter(120_000)]
    public async Task An_update_from_an_old_version_is_a_Conflict(CancellationToken ct)
    {
        var created = await CreateAsync("a", ct);
        (await Api.PutAsync($"{ConfigMaps}/a", ConfigMap("a", "2"), ct)).Expect(200);

        var refused = (await Api.PutAsync($"{ConfigMaps}/a", Edit(created, o => o["data"]!["k"] = "3"), ct)).Refused(409, "Conflict");

        ((string?)refused.Json["message"]).Should().Contain("the object has been modified");
        ((string?)(await Api.GetAsync($"{ConfigMaps}/a", ct)).Json["data"]!["k"]).Should().Be("2");
    }

    [Test, CancelAfter(120_000)]
    public async Task Of_many_writers_with_one_version_exactly_one_wins(CancellationToken ct)
    {
        var created = await CreateAsync("a", ct);

        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Api.PutAsync($"{ConfigMaps}/a", Edit(created, o => o["data"]!["k"] = $"w{i}"), ct)));

        answers.Count(a => a.Code == 200).Should().Be(1);
        answers.Count(a => a.Code == 409).Should().Be(15);
    }

    [Test, CancelAfter(120_000)]
    public async Task Patches_of_different_keys_at_once_are_all_kept(CancellationToken ct)
    {
        await CreateAsync("a", ct);

        await Task.WhenAll(Enumerable.Range(0, 16).Select(async i =>
            (await Api.PatchAsync($"{ConfigMaps}/a", Support.ControlPlanes.RawApi.MergePatch, $$$"""{"data":{"n{{{i}}}":"x"}}""", ct)).Expect(200)));

        (await Api.GetAsync($"{ConfigMaps}/a", ct)).Json["data"]!.AsObject().Should().HaveCount(17);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_yaml_body_is_as_good_as_json(CancellationToken ct)
    {
        const string Yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-yaml\n  labels: {app: x}\ndata:\n  text: |\n    two\n    lines\n  number: \"12\"\n";

        var created = (await Api.PostAsync(ConfigMaps, Yaml, ct, "application/yaml")).Expect(201);

        ((string?)created.Json["data"]!["text"]).Should().Be("two\nlines\n");
        ((string?)created.Json["data"]!["number"]).Should().Be("12");
    }
}
