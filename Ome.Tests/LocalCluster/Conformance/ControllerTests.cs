using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>What kube-controller-manager does; skipped on a bare API server.</summary>
public sealed class ControllerTests : ConformanceTest
{
    protected override Task PrepareAsync()
    {
        Plane.RequireControllers();
        return Task.CompletedTask;
    }

    [Test, CancelAfter(120_000)]
    public async Task What_an_object_owns_goes_with_it(CancellationToken ct)
    {
        var owner = Uid(await CreateAsync("owner", ct));
        var version = (await CreateAsync("child", ct, metadata: Owned(owner))).ResourceVersion;
        await using var watch = await Api.OpenWatchAsync($"{ConfigMaps}?watch=true&fieldSelector=metadata.name%3Dchild&resourceVersion={version}", ct);

        (await Api.DeleteAsync($"{ConfigMaps}/owner", ct)).Expect(200);

        (await watch.NextAsync(1, ct)).Should().Equal("DELETED child");
    }

    [Test, CancelAfter(120_000)]
    public async Task An_object_with_another_living_owner_stays(CancellationToken ct)
    {
        var (one, two) = (Uid(await CreateAsync("one", ct)), Uid(await CreateAsync("two", ct)));
        var child = await CreateAsync("child", ct, metadata: Owned(one, two));
        await using var watch = await Api.OpenWatchAsync($"{ConfigMaps}?watch=true&fieldSelector=metadata.name%3Dchild&resourceVersion={child.ResourceVersion}", ct);

        (await Api.DeleteAsync($"{ConfigMaps}/one", ct)).Expect(200);

        var line = await watch.NextAsync(ct);
        line!.Type.Should().Be("MODIFIED");
        line.Object["metadata"]!["ownerReferences"]!.AsArray().Select(o => (string?)o!["uid"]).Should().Equal(two);
    }

    [Test, CancelAfter(120_000)]
    public async Task An_object_whose_owner_never_was_goes(CancellationToken ct)
    {
        var version = (await Api.GetAsync(ConfigMaps, ct)).ResourceVersion;
        await using var watch = await Api.OpenWatchAsync($"{ConfigMaps}?watch=true&fieldSelector=metadata.name%3Dchild&resourceVersion={version}", ct);

        await CreateAsync("child", ct, metadata: Owned("11111111-1111-1111-1111-111111111111"));

        (await watch.NextAsync(2, ct)).Should().Equal("ADDED child", "DELETED child");
    }

    [Test, CancelAfter(120_000)]
    public async Task Foreground_deletion_takes_the_owner_last(CancellationToken ct)
    {
        var owner = Uid(await CreateAsync("owner", ct));
        var version = (await CreateAsync("child", ct, metadata: Owned(owner))).ResourceVersion;
        await using var watch = await Api.OpenWatchAsync($"{ConfigMaps}?watch=true&resourceVersion={version}", ct);

        (await Api.DeleteAsync($"{ConfigMaps}/owner", ct, """{"propagationPolicy":"Foreground"}""")).Expect(200);

        (await watch.NextAsync(3, ct)).Should().Equal("MODIFIED owner", "DELETED child", "DELETED owner");
    }

    [Test, CancelAfter(120_000)]
    public async Task Orphan_deletion_leaves_the_owned_behind(CancellationToken ct)
    {
        var owner = Uid(await CreateAsync("owner", ct));
        var version = (await CreateAsync("child", ct, metadata: Owned(owner))).ResourceVersion;
        await using var watch = await Api.OpenWatchAsync($"{ConfigMaps}?watch=true&resourceVersion={version}", ct);

        (await Api.DeleteAsync($"{ConfigMaps}/owner", ct, """{"propagationPolicy":"Orphan"}""")).Expect(200);

        (await watch.NextAsync(3, ct)).Should().Equal("MODIFIED owner", "MODIFIED child", "DELETED owner");
        (await Api.GetAsync($"{ConfigMaps}/child", ct)).Expect(200).Metadata["ownerReferences"].Should().BeNull();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_deleted_namespace_is_emptied_and_then_gone(CancellationToken ct)
    {
        await CreateAsync("a", ct);
        var path = $"/api/v1/namespaces/{Namespace}";
        var version = (await Api.GetAsync(path, ct)).ResourceVersion;
        await using var watch = await Api.OpenWatchAsync($"/api/v1/namespaces?watch=true&fieldSelector=metadata.name%3D{Namespace}&resourceVersion={version}", ct);

        (await Api.DeleteAsync(path, ct)).Expect(200);

        (await watch.NextAsync(2, ct)).Should().Equal($"MODIFIED {Namespace}", $"DELETED {Namespace}");
        Names(await Api.GetAsync($"/api/v1/configmaps?fieldSelector=metadata.namespace%3D{Namespace}", ct)).Should().BeEmpty();
    }

    [Test, CancelAfter(120_000)]
    public async Task Each_namespace_has_a_default_service_account(CancellationToken ct)
    {
        while ((await Api.GetAsync($"/api/v1/namespaces/{Namespace}/serviceaccounts/default", ct)).Code != 200)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, ct);
    }

    private static string Uid(RawAnswer answer) => (string)answer.Metadata["uid"]!;

    private static string Owned(params string[] uids) =>
        $$""","ownerReferences":[{{string.Join(',', uids.Select(uid => $$"""{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"{{uid}}"}"""))}}]""";
}
