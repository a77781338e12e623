using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Faults;

namespace Ome.LocalCluster.Demo;

/// <summary>The Kubernetes API the demo runs on, and how its administrator reaches it: in-process, a kube-apiserver it started, or a cluster that was there.</summary>
internal sealed class DemoCluster : IAsyncDisposable
{
    private readonly IAsyncDisposable _owner;

    private DemoCluster(string name, JsonObject server, HttpClient admin, IReadOnlyList<string> kubectl, IAsyncDisposable owner) =>
        (Name, Server, Admin, Kubectl, _owner) = (name, server, admin, kubectl, owner);

    /// <summary>For the first line of the demo.</summary>
    public string Name { get; }

    /// <summary>The <c>cluster</c> of a kubeconfig for it.</summary>
    public JsonObject Server { get; }

    /// <summary>The API as administrator.</summary>
    public HttpClient Admin { get; }

    /// <summary>What makes kubectl talk to it as administrator.</summary>
    public IReadOnlyList<string> Kubectl { get; }

    /// <summary>The same, for a person who wants to look around.</summary>
    public string Invitation => IsShared ? $"kubectl {string.Join(' ', Kubectl)}" : $"export KUBECONFIG={Kubectl[1]}";

    /// <summary>True for a cluster that stays when the demo is gone: nothing of the demo may be left in it.</summary>
    public bool IsShared { get; private init; }

    /// <summary>Requests that were refused for want of a right; none known where another server answers.</summary>
    public IReadOnlyList<RequestFacts> Denied => (_owner as LocalCluster)?.Requests.Denied ?? [];

    public static async Task<DemoCluster> StartAsync(DemoOptions options, CancellationToken cancellationToken)
    {
        if (options.Context is { } context)
        {
            var existing = await DemoContext.OpenAsync(context, cancellationToken);
            return new DemoCluster($"the cluster of context {existing.Name}", existing.Server, new HttpClient { BaseAddress = existing.Proxy }, ["--context", existing.Name], existing) { IsShared = true };
        }

        var kubeconfig = Path.Combine(options.Directory, "kubeconfig");
        if (options.Assets is { } assets)
        {
            var real = await RealControlPlane.StartAsync(assets, cancellationToken);
            return await OwnAsync($"kube-apiserver {real.Version}", real.Url, real.AdminToken, real.AuthorityPem, kubeconfig, real, cancellationToken);
        }

        var local = await LocalCluster.StartAsync(new LocalClusterOptions { EnforceRbac = true, Port = options.Port }, cancellationToken);
        return await OwnAsync("the local control plane", local.Url, local.AdminToken, local.AuthorityPem, kubeconfig, local, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Admin.Dispose();
        await _owner.DisposeAsync();
    }

    private static async Task<DemoCluster> OwnAsync(string name, Uri url, string token, string authorityPem, string kubeconfig, IAsyncDisposable owner, CancellationToken cancellationToken)
    {
        var server = Kubeconfig.Cluster(url, authorityPem);
        await Kubeconfig.WriteAsync(kubeconfig, server, token, cancellationToken);
        var authority = X509Certificate2.CreateFromPem(authorityPem);
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null && IsSignedBy(certificate, authority);
        var admin = new HttpClient(handler) { BaseAddress = url };
        admin.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return new DemoCluster(name, server, admin, ["--kubeconfig", kubeconfig], owner);
    }

    private static bool IsSignedBy(X509Certificate certificate, X509Certificate2 authority)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(new X509Certificate2(certificate));
    }
}
