using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using YamlDotNet.RepresentationModel;

namespace Ome.LocalCluster.Demo;

/// <summary>The few calls the demo makes as administrator, as plain HTTP so that what is seen is what is on the wire.</summary>
internal sealed class DemoApi : IDisposable
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

    private readonly HttpClient _client;

    public DemoApi(Uri url, string token, string authorityPem)
    {
        var authority = X509Certificate2.CreateFromPem(authorityPem);
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null && IsSignedBy(certificate, authority);
        _client = new HttpClient(handler) { BaseAddress = url };
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>The object, or null when there is none.</summary>
    public async Task<JsonObject?> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await _client.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound) return null;
        return await ReadAsync(response, path, cancellationToken);
    }

    /// <summary>The object as the Table that kubectl asks for and prints.</summary>
    public async Task<JsonObject> TableAsync(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        request.Headers.Accept.ParseAdd("application/json;as=Table;v=v1;g=meta.k8s.io");
        using var response = await _client.SendAsync(request, cancellationToken);
        return await ReadAsync(response, path, cancellationToken);
    }

    public async Task<JsonObject> CreateAsync(string path, JsonObject body, CancellationToken cancellationToken)
    {
        using var response = await _client.PostAsJsonAsync(new Uri(path, UriKind.Relative), body, cancellationToken);
        return await ReadAsync(response, path, cancellationToken);
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
            path.Append('/').Append(resource.Path).Append('/').Append(metadata["name"]).Append("?fieldManager=ome-demo&force=true");
            using var content = new StringContent(text, Encoding.UTF8, "application/apply-patch+yaml");
            using var response = await _client.PatchAsync(new Uri(path.ToString(), UriKind.Relative), content, cancellationToken);
            await ReadAsync(response, path.ToString(), cancellationToken);
        }
    }

    /// <summary>A token of a service account, so that the programs run with exactly the rights that config/rbac gives them.</summary>
    public async Task<string> TokenAsync(string ns, string account, CancellationToken cancellationToken)
    {
        var request = new JsonObject { ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "TokenRequest", ["spec"] = new JsonObject { ["expirationSeconds"] = 86400 } };
        var issued = await CreateAsync($"/api/v1/namespaces/{ns}/serviceaccounts/{account}/token", request, cancellationToken);
        return (string)issued["status"]!["token"]!;
    }

    public void Dispose() => _client.Dispose();

    private static bool IsSignedBy(X509Certificate certificate, X509Certificate2 authority)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(new X509Certificate2(certificate));
    }

    private static async Task<JsonObject> ReadAsync(HttpResponseMessage response, string path, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        if (!response.IsSuccessStatusCode) throw new HttpRequestException($"{path}: HTTP {(int)response.StatusCode} {text}");
        return (JsonObject)JsonNode.Parse(text)!;
    }
}
