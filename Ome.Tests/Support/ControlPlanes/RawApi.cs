using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using k8s;

namespace Ome.Tests.Support.ControlPlanes;

/// <summary>The API without a client library in between: paths and JSON text in, code and JSON out.</summary>
public sealed class RawApi : IDisposable
{
    public const string MergePatch = "application/merge-patch+json";
    public const string JsonPatch = "application/json-patch+json";
    public const string StrategicPatch = "application/strategic-merge-patch+json";
    public const string ApplyPatch = "application/apply-patch+yaml";
    public const string Table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

    private readonly HttpClient _client;

    public RawApi(KubernetesClientConfiguration configuration, string? bearer = null)
    {
        var authority = configuration.SslCaCerts[0];
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, served, chain, _) =>
        {
            chain!.ChainPolicy.TrustMode = System.Security.Cryptography.X509Certificates.X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(authority);
            chain.ChainPolicy.RevocationMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck;
            return chain.Build((System.Security.Cryptography.X509Certificates.X509Certificate2)served!);
        };
        _client = new HttpClient(handler) { BaseAddress = new Uri(configuration.Host), Timeout = TimeSpan.FromSeconds(60) };
        if ((bearer ?? configuration.AccessToken) is { Length: > 0 } token) _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        _client.DefaultRequestHeaders.UserAgent.ParseAdd("conformance/1");
    }

    public Task<RawAnswer> GetAsync(string path, CancellationToken ct, string? accept = null) => SendAsync(HttpMethod.Get, path, null, ct, accept: accept);

    public Task<RawAnswer> PostAsync(string path, string body, CancellationToken ct, string type = "application/json") => SendAsync(HttpMethod.Post, path, body, ct, type);

    public Task<RawAnswer> PutAsync(string path, string body, CancellationToken ct) => SendAsync(HttpMethod.Put, path, body, ct);

    public Task<RawAnswer> PatchAsync(string path, string type, string body, CancellationToken ct) => SendAsync(HttpMethod.Patch, path, body, ct, type);

    public Task<RawAnswer> DeleteAsync(string path, CancellationToken ct, string? body = null) => SendAsync(HttpMethod.Delete, path, body, ct);

    public async Task<RawAnswer> SendAsync(HttpMethod method, string path, string? body, CancellationToken ct, string type = "application/json", string? accept = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }
        request.Headers.TryAddWithoutValidation("Accept", accept ?? "application/json");
        using var response = await _client.SendAsync(request, ct);
        var text = await response.Content.ReadAsStringAsync(ct);
        var warnings = response.Headers.TryGetValues("Warning", out var values) ? values.ToList() : [];
        return new RawAnswer((int)response.StatusCode, text, warnings, response.Headers.RetryAfter?.Delta, response.Content.Headers.ContentType?.ToString() ?? "");
    }

    /// <summary>Opens a watch and gives its events as they come; ends when the server ends it.</summary>
    public async IAsyncEnumerable<WatchLine> WatchAsync(string path, [EnumeratorCancellation] CancellationToken ct, string? accept = null)
    {
        await using var watch = await OpenWatchAsync(path, ct, accept);
        while (await watch.NextAsync(ct) is { } line) yield return line;
    }

    /// <summary>Opens a watch; when this returns, the server has answered and nothing that happens from now on is missed.</summary>
    public async Task<RawWatch> OpenWatchAsync(string path, CancellationToken ct, string? accept = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept ?? "application/json");
        var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        response.EnsureSuccessStatusCode();
        return new RawWatch(response, new StreamReader(await response.Content.ReadAsStreamAsync(ct)));
    }

    public void Dispose() => _client.Dispose();
}

/// <summary>What came back.</summary>
public sealed record RawAnswer(int Code, string Text, IReadOnlyList<string> Warnings, TimeSpan? RetryAfter, string ContentType)
{
    public JsonObject Json => JsonNode.Parse(Text)!.AsObject();

    public JsonObject Metadata => Json["metadata"]!.AsObject();

    public string ResourceVersion => (string)Metadata["resourceVersion"]!;

    /// <summary>The answer, after a check that it is this success.</summary>
    public RawAnswer Expect(int code)
    {
        Code.Should().Be(code, "the answer was {0}", Text);
        return this;
    }

    /// <summary>The answer, after a check that it is a Status refusing with this code and reason.</summary>
    public RawAnswer Refused(int code, string reason)
    {
        Code.Should().Be(code, "the answer was {0}", Text);
        ((string?)Json["kind"]).Should().Be("Status");
        ((string?)Json["status"]).Should().Be("Failure");
        ((string?)Json["reason"]).Should().Be(reason, "the answer was {0}", Text);
        ((int?)Json["code"]).Should().Be(code);
        ((string?)Json["message"]).Should().NotBeNullOrEmpty();
        return this;
    }

    /// <summary>Fields named in the causes of an Invalid status.</summary>
    public IReadOnlyList<string> CauseFields => [.. (Json["details"]?["causes"] as JsonArray ?? []).Select(c => (string?)c!["field"] ?? "")];
}

/// <summary>One event of a watch.</summary>
public sealed record WatchLine(string Type, JsonObject Object)
{
    public string Name => (string?)Object["metadata"]?["name"] ?? "";

    public string ResourceVersion => (string?)Object["metadata"]?["resourceVersion"] ?? "";

    public override string ToString() => $"{Type} {Name}";
}

/// <summary>An open watch.</summary>
public sealed class RawWatch(HttpResponseMessage response, StreamReader lines) : IAsyncDisposable
{
    /// <summary>The next event; null when the server ended the watch.</summary>
    public async Task<WatchLine?> NextAsync(CancellationToken ct)
    {
        if (await lines.ReadLineAsync(ct) is not { } line) return null;
        var json = JsonNode.Parse(line)!;
        return new WatchLine((string)json["type"]!, json["object"]!.AsObject());
    }

    /// <summary>The next events, as "TYPE name".</summary>
    public async Task<IReadOnlyList<string>> NextAsync(int count, CancellationToken ct)
    {
        var seen = new List<string>();
        while (seen.Count < count && await NextAsync(ct) is { } line) seen.Add(line.ToString());
        return seen;
    }

    public ValueTask DisposeAsync()
    {
        response.Dispose();
        lines.Dispose();
        return ValueTask.CompletedTask;
    }
}
