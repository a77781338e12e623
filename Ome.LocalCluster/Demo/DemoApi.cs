using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using YamlDotNet.RepresentationModel;

namespace Ome.LocalCluster.Demo;

/// <summary>The few calls the demo makes as administrator, as plain HTTP so that what is seen is what is on the wire.</summary>
internal sealed class DemoApi(HttpClient client)
{
    private static readonly Dictionary<string, (string Path, bool Namespaced)> Kinds = new(StringComparer.Ordinal)
    {
        ["CustomResourceDefinition"] = ("customresourcedefinitions", false),
        ["ServiceAccount"] = ("serviceaccounts", true),
        ["ClusterRole"] = ("clusterroles", false),
        ["ClusterRoleBinding"] = ("clusterrolebindings", false),
        ["Role"] = ("roles", true),
        ["RoleBinding"] = ("rolebindings", true),
    };

    private readonly List<string> _created = [];

    /// <summary>Paths of the objects that this made and that were not there before, oldest first.</summary>
    public IReadOnlyList<string> Created => _created;

    /// <summary>The object, or null when there is none.</summary>
    public async Task<JsonObject?> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await client.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound) return null;
        return await ReadAsync(response, path, cancellationToken);
    }

    /// <summary>The object as the Table that kubectl asks for and prints.</summary>
    public async Task<JsonObject> TableAsync(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        request.Headers.Accept.ParseAdd("application/json;as=Table;v=v1;g=meta.k8s.io");
        using var response = await client.SendAsync(request, cancellationToken);
        return await ReadAsync(response, path, cancellationToken);
    }

    /// <summary>Creates an object in a collection.</summary>
    public async Task CreateAsync(string collection, JsonObject body, CancellationToken cancellationToken)
    {
        await PostAsync(collection, body, cancellationToken);
        _created.Add($"{collection}/{(string?)body["metadata"]?["name"]}");
    }

    /// <summary>Deletes the object or, of a collection, all; one that is not there is fine.</summary>
    public async Task DeleteAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await client.DeleteAsync(new Uri(path, UriKind.Relative), cancellationToken);
        if (response.StatusCode != HttpStatusCode.NotFound) await ReadAsync(response, path, cancellationToken);
    }

    /// <summary>Waits until a kind is served: a server learns of a CRD a moment after it was written.</summary>
    public async Task UntilServedAsync(string collection, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var response = await client.GetAsync(new Uri(collection + "?limit=1", UriKind.Relative), cancellationToken);
            if (response.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable))
            {
                await ReadAsync(response, collection, cancellationToken);
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Applies every document of a manifest file, as <c>kubectl apply --server-side</c> does.</summary>
    public async Task ApplyFileAsync(string file, CancellationToken cancellationToken)
    {
        foreach (var text in (await File.ReadAllTextAsync(file, cancellationToken)).Split("\n---", StringSplitOptions.RemoveEmptyEntries))
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            if (yaml.Documents is not [{ RootNode: YamlMappingNode root }]) continue;
            var metadata = (YamlMappingNode)root["metadata"];
            var kind = root["kind"].ToString();
            if (!Kinds.TryGetValue(kind, out var resource)) throw new InvalidOperationException($"{file}: the demo does not apply objects of kind {kind}.");
            var version = root["apiVersion"].ToString();
            var path = new StringBuilder(version.Contains('/', StringComparison.Ordinal) ? $"/apis/{version}" : $"/api/{version}");
            if (resource.Namespaced) path.Append("/namespaces/").Append(metadata["namespace"]);
            path.Append('/').Append(resource.Path).Append('/').Append(metadata["name"]);
            using var content = new StringContent(text, Encoding.UTF8, "application/apply-patch+yaml");
            using var response = await client.PatchAsync(new Uri(path + "?fieldManager=ome-demo&force=true", UriKind.Relative), content, cancellationToken);
            await ReadAsync(response, path.ToString(), cancellationToken);
            if (response.StatusCode == HttpStatusCode.Created) _created.Add(path.ToString());
        }
    }

    /// <summary>A token of a service account, so that the programs run with exactly the rights that config/rbac gives them.</summary>
    public async Task<string> TokenAsync(string ns, string account, CancellationToken cancellationToken)
    {
        var request = new JsonObject { ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "TokenRequest", ["spec"] = new JsonObject { ["expirationSeconds"] = 86400 } };
        var issued = await PostAsync($"/api/v1/namespaces/{ns}/serviceaccounts/{account}/token", request, cancellationToken);
        return (string)issued["status"]!["token"]!;
    }

    private async Task<JsonObject> PostAsync(string path, JsonObject body, CancellationToken cancellationToken)
    {
        using var response = await client.PostAsJsonAsync(new Uri(path, UriKind.Relative), body, cancellationToken);
        return await ReadAsync(response, path, cancellationToken);
    }

    private static async Task<JsonObject> ReadAsync(HttpResponseMessage response, string path, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        if (!response.IsSuccessStatusCode) throw new HttpRequestException($"{path}: HTTP {(int)response.StatusCode} {text}");
        return (JsonObject)JsonNode.Parse(text)!;
    }
}
