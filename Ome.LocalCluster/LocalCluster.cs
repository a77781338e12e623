using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Ome.LocalCluster.Controllers;
using Ome.LocalCluster.Faults;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Security;
using Ome.LocalCluster.Serving;
using Ome.LocalCluster.Storage;
using Ome.LocalCluster.Writing;

namespace Ome.LocalCluster;

/// <summary>A running in-process Kubernetes API on loopback, for development and tests. Keeps everything in memory; runs no pods.</summary>
public sealed class LocalCluster : IAsyncDisposable
{
    private readonly WebApplication _web;
    private readonly LoopbackCertificates _certificates;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _controllers;

    private LocalCluster(WebApplication web, LoopbackCertificates certificates, ClusterControllers controllers, string adminToken, FaultInjector faults, RequestLog requests, ObjectStore store)
    {
        _web = web;
        _certificates = certificates;
        _controllers = Task.Run(() => controllers.RunAsync(_stop.Token));
        AdminToken = adminToken;
        Faults = faults;
        Requests = requests;
        Store = store;
        var addresses = web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a)).ToList();
        Url = addresses.Single(a => a.Scheme == "https");
        HttpUrl = addresses.Find(a => a.Scheme == "http");
    }

    /// <summary>The API over HTTPS.</summary>
    public Uri Url { get; }

    /// <summary>The API over plain HTTP; null when none was asked for.</summary>
    public Uri? HttpUrl { get; }

    /// <summary>Bearer token of the administrator.</summary>
    public string AdminToken { get; }

    /// <summary>What a client has to trust for <see cref="Url"/>, as PEM.</summary>
    public string AuthorityPem => _certificates.AuthorityPem;

    /// <summary>Makes the control plane misbehave.</summary>
    public FaultInjector Faults { get; }

    /// <summary>What was asked of the control plane.</summary>
    public RequestLog Requests { get; }

    /// <summary>The objects, for measurements that leave HTTP aside.</summary>
    public ObjectStore Store { get; }

    /// <summary>Starts serving; when this returns, requests are answered.</summary>
    /// <exception cref="PortInUseException">The wanted port is taken.</exception>
    public static async Task<LocalCluster> StartAsync(LocalClusterOptions options, CancellationToken cancellationToken = default)
    {
        var clock = options.Clock;
        var store = new ObjectStore(options.HistoryPerKind);
        var kinds = new KindRegistry(BuiltInKinds.Build(store));
        var writer = new ObjectWriter(store, clock);
        var controllers = new ClusterControllers(store, kinds, writer, clock);
        var faults = new FaultInjector(store);
        var requests = new RequestLog();
        var adminToken = options.AdminToken ?? RandomNumberGenerator.GetHexString(32, lowercase: true);
        var tokens = new ServiceAccountTokens(store, clock);
        var rbac = new RbacAuthorizer(store);
        Bootstrap.Seed(kinds, writer);

        var server = new ApiServer(new ApiServerParts(
            adminToken, options.EnforceRbac, clock, kinds, tokens, rbac, faults, requests,
            new DiscoveryHandler(kinds), new OpenApiHandler(kinds), new ListHandler(store, clock), new WatchHandler(store, faults, clock, options.BookmarkInterval),
            new ResourceHandler(store, writer, clock), new ScaleHandler(store, writer), new AuthHandler(store, tokens, rbac, options.EnforceRbac, clock),
            new FaultEndpoints(faults, clock)));
        var certificates = LoopbackCertificates.Create(clock.GetUtcNow());
        var web = Host(options, certificates, server);
        try
        {
            await web.StartAsync(cancellationToken);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            await web.DisposeAsync();
            certificates.Dispose();
            throw new PortInUseException(options, e);
        }
        return new LocalCluster(web, certificates, controllers, adminToken, faults, requests, store);
    }

    /// <summary>Writes a kubeconfig for the administrator, readable by the owner only.</summary>
    public Task WriteKubeconfigAsync(string path, CancellationToken cancellationToken = default) =>
        Kubeconfig.WriteAsync(path, Url, AuthorityPem, AdminToken, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        // Watches never end by themselves: cut them instead of waiting.
        Faults.BeginOutage();
        await _web.StopAsync(CancellationToken.None);
        await _web.DisposeAsync();
#pragma warning disable VSTHRD003 // started by this object's constructor; no synchronization context that could lock up
        await _controllers.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
#pragma warning restore VSTHRD003
        Faults.Dispose();
        _certificates.Dispose();
        _stop.Dispose();
    }

    private static WebApplication Host(LocalClusterOptions options, LoopbackCertificates certificates, ApiServer server)
    {
        // Nothing from the environment or from files of the working directory: what is asked for is what is served.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            kestrel.Listen(IPAddress.Loopback, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(certificates.Server);
            });
            if (options.HttpPort is { } http) kestrel.Listen(IPAddress.Loopback, http, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var web = builder.Build();
        web.Run(server.HandleAsync);
        return web;
    }
}
