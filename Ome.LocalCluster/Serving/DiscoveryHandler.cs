using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;

namespace Ome.LocalCluster.Serving;

/// <summary><c>/api</c> and <c>/apis</c>: which groups, versions and resources there are, in the legacy and the aggregated form.</summary>
internal sealed class DiscoveryHandler(KindRegistry kinds)
{
    /// <summary>Answers a discovery path; false when the path is none.</summary>
    public async Task<bool> TryHandleAsync(ApiRequest request)
    {
        var answer = request.Path.Trim('/').Split('/') switch
        {
            ["api"] when request.Accepts.DiscoveryVersion is { } v => Aggregated(v, legacy: true),
            ["apis"] when request.Accepts.DiscoveryVersion is { } v => Aggregated(v, legacy: false),
            ["api"] => new JsonObject { ["kind"] = "APIVersions", ["versions"] = new JsonArray("v1"), ["serverAddressByClientCIDRs"] = new JsonArray() },
            ["apis"] => new JsonObject { ["kind"] = "APIGroupList", ["apiVersion"] = "v1", ["groups"] = new JsonArray([.. Groups().Select(g => (JsonNode)Group(g))]) },
            ["apis", var group] => Groups().Contains(group) ? Group(group) : null,
            ["api", var version] => Resources("", version),
            ["apis", var group, var version] => Resources(group, version),
            _ => null,
        };
        if (answer is null) return false;
        var type = request.Accepts.DiscoveryVersion is { } form && answer.Text("kind") == "APIGroupDiscoveryList"
            ? $"application/json;g=apidiscovery.k8s.io;v={form};as=APIGroupDiscoveryList"
            : "application/json";
        await request.JsonAsync(answer, contentType: type);
        return true;
    }

    private List<string> Groups() =>
        [.. kinds.All.Select(r => r.Group).Concat(AuthHandler.Reviews.Select(r => r.Group)).Where(g => g.Length > 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private List<string> Versions(string group) =>
        AuthHandler.Reviews.Any(r => r.Group == group)
            ? ["v1"]
            : [.. kinds.All.Where(r => r.Group == group).OrderByDescending(r => r.IsStorageVersion).Select(r => r.Version).Distinct(StringComparer.Ordinal)];

    private IEnumerable<ApiResource> Of(string group, string version) =>
        kinds.All.Where(r => r.Group == group && r.Version == version).OrderBy(r => r.Plural, StringComparer.Ordinal);

    private JsonObject Group(string group)
    {
        var versions = Versions(group).Select(v => new JsonObject { ["groupVersion"] = $"{group}/{v}", ["version"] = v }).ToList();
        return new JsonObject
        {
            ["kind"] = "APIGroup",
            ["apiVersion"] = "v1",
            ["name"] = group,
            ["preferredVersion"] = versions[0].DeepClone(),
            ["versions"] = new JsonArray([.. versions]),
        };
    }

    private JsonObject? Resources(string group, string version)
    {
        var list = new JsonArray();
        foreach (var resource in Of(group, version))
        {
            list.Add((JsonNode)Entry(resource));
            foreach (var sub in resource.Subresources) list.Add((JsonNode)SubEntry(resource, sub));
        }
        foreach (var (_, plural, kind) in AuthHandler.Reviews.Where(r => r.Group == group && version == "v1"))
            list.Add((JsonNode)new JsonObject { ["name"] = plural, ["singularName"] = "", ["namespaced"] = false, ["kind"] = kind, ["verbs"] = new JsonArray("create") });
        if (list.Count == 0) return null;
        return new JsonObject { ["kind"] = "APIResourceList", ["apiVersion"] = "v1", ["groupVersion"] = group.Length == 0 ? version : $"{group}/{version}", ["resources"] = list };
    }

    private static JsonObject Entry(ApiResource resource)
    {
        var entry = new JsonObject
        {
            ["name"] = resource.Plural,
            ["singularName"] = resource.Singular,
            ["namespaced"] = resource.Namespaced,
            ["kind"] = resource.Kind,
            ["verbs"] = ApiResource.AllVerbs.ToJsonArray(),
            ["storageVersionHash"] = Convert.ToBase64String(BitConverter.GetBytes(StringComparer.Ordinal.GetHashCode(resource.Collection.Name))),
        };
        if (resource.ShortNames.Count > 0) entry["shortNames"] = resource.ShortNames.ToJsonArray();
        if (resource.Categories.Count > 0) entry["categories"] = resource.Categories.ToJsonArray();
        return entry;
    }

    private static JsonObject SubEntry(ApiResource resource, string sub)
    {
        var (group, version, kind, verbs) = Subresource(resource, sub);
        var entry = new JsonObject { ["name"] = $"{resource.Plural}/{sub}", ["singularName"] = "", ["namespaced"] = resource.Namespaced };
        if (kind != resource.Kind)
        {
            entry["group"] = group;
            entry["version"] = version;
        }
        entry["kind"] = kind;
        entry["verbs"] = verbs.ToJsonArray();
        return entry;
    }

    private static (string Group, string Version, string Kind, string[] Verbs) Subresource(ApiResource resource, string sub) => sub switch
    {
        "scale" => ("autoscaling", "v1", "Scale", ["get", "patch", "update"]),
        "token" => ("authentication.k8s.io", "v1", "TokenRequest", ["create"]),
        "finalize" => (resource.Group, resource.Version, resource.Kind, ["update"]),
        _ => (resource.Group, resource.Version, resource.Kind, ["get", "patch", "update"]),
    };

    private JsonObject Aggregated(string form, bool legacy)
    {
        var groups = legacy ? [""] : Groups();
        return new JsonObject
        {
            ["kind"] = "APIGroupDiscoveryList",
            ["apiVersion"] = $"apidiscovery.k8s.io/{form}",
            ["metadata"] = new JsonObject(),
            ["items"] = new JsonArray([.. groups.Select(g => (JsonNode)AggregatedGroup(g))]),
        };
    }

    private JsonObject AggregatedGroup(string group)
    {
        var versions = group.Length == 0 ? ["v1"] : Versions(group);
        var metadata = new JsonObject { ["creationTimestamp"] = null };
        if (group.Length > 0) metadata["name"] = group;
        return new JsonObject
        {
            ["metadata"] = metadata,
            ["versions"] = new JsonArray([.. versions.Select(v => (JsonNode)new JsonObject
            {
                ["version"] = v,
                ["resources"] = new JsonArray([.. Of(group, v).Select(r => (JsonNode)AggregatedEntry(r)), .. AuthHandler.Reviews.Where(r => r.Group == group).Select(r => (JsonNode)ReviewEntry(r.Plural, r.Kind, group))]),
                ["freshness"] = "Current",
            })]),
        };
    }

    private static JsonObject AggregatedEntry(ApiResource resource)
    {
        var entry = new JsonObject
        {
            ["resource"] = resource.Plural,
            ["responseKind"] = GroupVersionKind(resource.Group, resource.Version, resource.Kind),
            ["scope"] = resource.Namespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = resource.Singular,
            ["verbs"] = ApiResource.AllVerbs.ToJsonArray(),
        };
        if (resource.ShortNames.Count > 0) entry["shortNames"] = resource.ShortNames.ToJsonArray();
        if (resource.Categories.Count > 0) entry["categories"] = resource.Categories.ToJsonArray();
        var subresources = resource.Subresources.Select(sub =>
        {
            var (group, version, kind, verbs) = Subresource(resource, sub);
            return (JsonNode)new JsonObject { ["subresource"] = sub, ["responseKind"] = GroupVersionKind(group, version, kind), ["verbs"] = verbs.ToJsonArray() };
        }).ToArray();
        if (subresources.Length > 0) entry["subresources"] = new JsonArray(subresources);
        return entry;
    }

    private static JsonObject ReviewEntry(string plural, string kind, string group) => new()
    {
        ["resource"] = plural,
        ["responseKind"] = GroupVersionKind(group, "v1", kind),
        ["scope"] = "Cluster",
        ["singularResource"] = kind.ToLowerInvariant(),
        ["verbs"] = new JsonArray("create"),
    };

    private static JsonObject GroupVersionKind(string group, string version, string kind) => new() { ["group"] = group, ["version"] = version, ["kind"] = kind };
}
