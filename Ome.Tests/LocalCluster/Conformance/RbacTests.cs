using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>Service-account tokens have the rights their bindings give, and no others.</summary>
public sealed class RbacTests : ConformanceTest
{
    private const string Rbac = "/apis/rbac.authorization.k8s.io/v1";

    private RawApi _agent = null!;

    protected override async Task PrepareAsync() =>
        _agent = new RawApi(await Plane.CreateServiceAccountConfigurationAsync(Namespace, "agent", CancellationToken.None));

    [TearDown]
    public void CloseAgent() => _agent.Dispose();

    [Test, CancelAfter(120_000)]
    public async Task Without_a_binding_nothing_is_allowed(CancellationToken ct)
    {
        var refused = (await _agent.GetAsync(ConfigMaps, ct)).Refused(403, "Forbidden");

        ((string?)refused.Json["message"]).Should().Be(
            $"configmaps is forbidden: User \"system:serviceaccount:{Namespace}:agent\" cannot list resource \"configmaps\" in API group \"\" in the namespace \"{Namespace}\"");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_role_gives_its_verbs_in_its_namespace_only(CancellationToken ct)
    {
        var other = await Plane.CreateNamespaceAsync(ct);
        await CreateAsync("a", ct);
        await GrantAsync("""{"apiGroups":[""],"resources":["configmaps"],"verbs":["get","list","watch"]}""", ct);

        (await _agent.GetAsync($"{ConfigMaps}/a", ct)).Expect(200);
        (await _agent.GetAsync(ConfigMaps, ct)).Expect(200);
        await using (await _agent.OpenWatchAsync($"{ConfigMaps}?watch=true", ct))
        {
        }
        (await _agent.DeleteAsync($"{ConfigMaps}/a", ct)).Refused(403, "Forbidden");
        (await _agent.PatchAsync($"{ConfigMaps}/a", RawApi.MergePatch, "{}", ct)).Refused(403, "Forbidden");
        (await _agent.GetAsync($"/api/v1/namespaces/{other}/configmaps", ct)).Refused(403, "Forbidden");
        (await _agent.GetAsync("/api/v1/configmaps", ct)).Refused(403, "Forbidden");
        (await _agent.GetAsync($"/api/v1/namespaces/{Namespace}/secrets", ct)).Refused(403, "Forbidden");
    }

    [Test, CancelAfter(120_000)]
    public async Task resourceNames_limit_a_rule_to_those_objects(CancellationToken ct)
    {
        await CreateAsync("mine", ct);
        await CreateAsync("other", ct);
        await GrantAsync("""{"apiGroups":[""],"resources":["configmaps"],"verbs":["get","update","patch"],"resourceNames":["mine"]}""", ct);

        (await _agent.PatchAsync($"{ConfigMaps}/mine", RawApi.MergePatch, """{"data":{"k":"2"}}""", ct)).Expect(200);
        (await _agent.PatchAsync($"{ConfigMaps}/other", RawApi.MergePatch, """{"data":{"k":"2"}}""", ct)).Refused(403, "Forbidden");
        (await _agent.GetAsync(ConfigMaps, ct)).Refused(403, "Forbidden");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_subresource_is_a_right_of_its_own(CancellationToken ct)
    {
        var node = $"/api/v1/nodes/{Namespace}";
        (await Api.PostAsync("/api/v1/nodes", $$$"""{"metadata":{"name":"{{{Namespace}}}"}}""", ct)).Expect(201);
        await GrantClusterAsync("""{"apiGroups":[""],"resources":["nodes/status"],"verbs":["patch"]}""", ct);

        var status = await _agent.PatchAsync($"{node}/status", RawApi.MergePatch, """{"status":{"phase":"Running"}}""", ct);
        var labels = await _agent.PatchAsync(node, RawApi.MergePatch, """{"metadata":{"labels":{"l":"1"}}}""", ct);
        await Api.DeleteAsync(node, ct);

        status.Expect(200);
        labels.Refused(403, "Forbidden");
    }

    [Test, CancelAfter(120_000)]
    public async Task Access_reviews_say_what_would_happen(CancellationToken ct)
    {
        await GrantAsync("""{"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]}""", ct);

        (await MayISelfAsync("get", ct)).Should().BeTrue();
        (await MayISelfAsync("delete", ct)).Should().BeFalse();
        (await MayTheyAsync("get", ct)).Should().BeTrue();
        (await MayTheyAsync("delete", ct)).Should().BeFalse();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_token_names_its_account_and_dies_with_it(CancellationToken ct)
    {
        await GrantAsync("""{"apiGroups":[""],"resources":["configmaps"],"verbs":["list"]}""", ct);
        var accounts = $"/api/v1/namespaces/{Namespace}/serviceaccounts/agent";
        var token = (string)(await Api.PostAsync($"{accounts}/token", "{}", ct)).Expect(201).Json["status"]!["token"]!;

        var review = (await Api.PostAsync("/apis/authentication.k8s.io/v1/tokenreviews", $$$"""{"spec":{"token":"{{{token}}}"}}""", ct)).Expect(201);
        ((string?)review.Json["status"]!["user"]!["username"]).Should().Be($"system:serviceaccount:{Namespace}:agent");
        using var bearer = new RawApi(Plane.Configuration, token);
        (await bearer.GetAsync(ConfigMaps, ct)).Expect(200);
        (await Api.DeleteAsync(accounts, ct)).Expect(200);

        while ((await bearer.GetAsync(ConfigMaps, ct)).Code != 401) await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, ct);
    }

    private Task GrantAsync(string rule, CancellationToken ct) => GrantAsync($"{Rbac}/namespaces/{Namespace}/", "Role", rule, ct);

    private Task GrantClusterAsync(string rule, CancellationToken ct) => GrantAsync($"{Rbac}/", "ClusterRole", rule, ct);

    private async Task GrantAsync(string path, string kind, string rule, CancellationToken ct)
    {
        var plural = kind.ToLowerInvariant();
        (await Api.PostAsync($"{path}{plural}s", $$$"""{"metadata":{"name":"{{{Namespace}}}"},"rules":[{{{rule}}}]}""", ct)).Expect(201);
        var binding = $$$"""
            {"metadata":{"name":"{{{Namespace}}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"{{{kind}}}","name":"{{{Namespace}}}"},
             "subjects":[{"kind":"ServiceAccount","namespace":"{{{Namespace}}}","name":"agent"}]}
            """;
        (await Api.PostAsync($"{path}{plural}bindings", binding, ct)).Expect(201);
        // A real server judges by what its informers have seen: give them the moment they take.
        await Task.Delay(TimeSpan.FromMilliseconds(Plane.RunsControllers ? 0 : 300), TimeProvider.System, ct);
    }

    private async Task<bool> MayISelfAsync(string verb, CancellationToken ct)
    {
        var review = $$$$"""{"spec":{"resourceAttributes":{"namespace":"{{{{Namespace}}}}","verb":"{{{{verb}}}}","resource":"configmaps"}}}""";
        return (bool)(await _agent.PostAsync("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review, ct)).Expect(201).Json["status"]!["allowed"]!;
    }

    private async Task<bool> MayTheyAsync(string verb, CancellationToken ct)
    {
        var review = $$$$"""{"spec":{"user":"system:serviceaccount:{{{{Namespace}}}}:agent","resourceAttributes":{"namespace":"{{{{Namespace}}}}","verb":"{{{{verb}}}}","resource":"configmaps"}}}""";
        return (bool)(await Api.PostAsync("/apis/authorization.k8s.io/v1/subjectaccessreviews", review, ct)).Expect(201).Json["status"]!["allowed"]!;
    }
}
