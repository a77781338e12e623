using System.Text.Json.Nodes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>How clients find out what there is.</summary>
public sealed class DiscoveryTests : ConformanceTest
{
    [TestCase("/api/v1", "namespaces,nodes,configmaps,secrets,serviceaccounts,serviceaccounts/token,events,pods,services,nodes/status")]
    [TestCase("/apis/apps/v1", "deployments,daemonsets,deployments/scale,deployments/status")]
    [TestCase("/apis/coordination.k8s.io/v1", "leases")]
    [TestCase("/apis/events.k8s.io/v1", "events")]
    [TestCase("/apis/policy/v1", "poddisruptionbudgets")]
    [TestCase("/apis/scheduling.k8s.io/v1", "priorityclasses")]
    [TestCase("/apis/rbac.authorization.k8s.io/v1", "roles,rolebindings,clusterroles,clusterrolebindings")]
    [TestCase("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions,customresourcedefinitions/status")]
    [TestCase("/apis/authorization.k8s.io/v1", "selfsubjectaccessreviews,subjectaccessreviews")]
    [TestCase("/apis/authentication.k8s.io/v1", "tokenreviews")]
    [CancelAfter(120_000)]
    public async Task A_group_version_lists_its_resources(string path, string resources, CancellationToken ct)
    {
        var list = (await Api.GetAsync(path, ct)).Expect(200);

        ((string?)list.Json["kind"]).Should().Be("APIResourceList");
        list.Json["resources"]!.AsArray().Select(r => (string)r!["name"]!).Should().Contain(resources.Split(','));
    }

    [Test, CancelAfter(120_000)]
    public async Task Groups_are_listed_with_their_preferred_version(CancellationToken ct)
    {
        (await Api.GetAsync("/api", ct)).Expect(200).Json["versions"]!.ToJsonString().Should().Be("""["v1"]""");
        var groups = (await Api.GetAsync("/apis", ct)).Expect(200).Json["groups"]!.AsArray();

        var apps = groups.Single(g => (string?)g!["name"] == "apps")!;
        ((string?)apps["preferredVersion"]!["groupVersion"]).Should().Be("apps/v1");
        ((string?)(await Api.GetAsync("/apis/apps", ct)).Expect(200).Json["kind"]).Should().Be("APIGroup");
    }

    [Test, CancelAfter(120_000)]
    public async Task Aggregated_discovery_says_the_same_in_one_answer(CancellationToken ct)
    {
        const string Accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        Support.ControlPlanes.ControlPlaneExtensions.RequireMinor(Plane, 30, "aggregated discovery v2");

        var all = (await Api.GetAsync("/apis", ct, Accept)).Expect(200);

        all.ContentType.Should().Contain("as=APIGroupDiscoveryList");
        ((string?)all.Json["kind"]).Should().Be("APIGroupDiscoveryList");
        foreach (var group in all.Json["items"]!.AsArray())
        {
            foreach (var version in group!["versions"]!.AsArray())
            {
                var legacy = (await Api.GetAsync($"/apis/{(string)group["metadata"]!["name"]!}/{(string)version!["version"]!}", ct)).Expect(200);
                Flat(version["resources"]!.AsArray()).Should().BeEquivalentTo(legacy.Json["resources"]!.AsArray().Select(r => (string)r!["name"]!));
            }
        }
    }

    [Test, CancelAfter(120_000)]
    public async Task OpenApi_describes_the_patch_of_a_kind(CancellationToken ct)
    {
        var index = (await Api.GetAsync("/openapi/v3", ct)).Expect(200);
        var url = (string)index.Json["paths"]!["api/v1"]!["serverRelativeURL"]!;

        var document = (await Api.GetAsync(url, ct)).Expect(200);

        document.Json["paths"]!["/api/v1/namespaces/{namespace}/configmaps/{name}"]!["patch"].Should().NotBeNull();
    }

    private static IEnumerable<string> Flat(JsonArray resources) => resources.SelectMany(r =>
        new[] { (string)r!["resource"]! }.Concat((r["subresources"] as JsonArray ?? []).Select(s => $"{(string)r["resource"]!}/{(string)s!["subresource"]!}")));
}
