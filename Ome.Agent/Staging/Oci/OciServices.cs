using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Ome.Shared.Domain.Models;
using Polly;

namespace Ome.Agent.Staging.Oci;

/// <summary>Wiring of the OCI Object Storage source. The container also holds an <see cref="ISecretReader"/>.</summary>
public static class OciServices
{
    /// <summary>Adds <c>oci://</c>.</summary>
    /// <param name="services">The agent's container.</param>
    /// <param name="shapes">Short names of instance types (contract 4.4).</param>
    public static IServiceCollection AddOciSource(this IServiceCollection services, NodeShapes? shapes = null)
    {
        services.AddOptions<OciOptions>().ValidateDataAnnotations();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<OciOptions>>().Value);
        services.TryAddSingleton<StagingFlow>();
        services.AddSingleton<OciHttp>();
        services.AddSingleton<OciAuthenticators>();
        services.AddSingleton<IArtifactSource>(provider => ActivatorUtilities.CreateInstance<OciSource>(provider, shapes ?? NodeShapes.Default));
        AddClient(services, OciHttp.StoreClient, static _ => NewHandler());
        AddClient(services, OciHttp.ClusterClient, static options => TrustingCluster(NewHandler(), options.ServiceAccountCertificatePath));
        return services;
    }

    private static void AddClient(IServiceCollection services, string name, Func<OciOptions, HttpMessageHandler> handler) =>
        services.AddHttpClient(name, client => client.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(provider => handler(provider.GetRequiredService<OciOptions>()))
            .RemoveAllLoggers()
            .AddResilienceHandler(name, static (pipeline, context) => Configure(pipeline, context.ServiceProvider));

    private static SocketsHttpHandler NewHandler() => new()
    {
        // A signature holds for one address; bodies are compared byte for byte; proxies of the environment are not asked (contract 5.2).
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectTimeout = TimeSpan.FromSeconds(10),
    };

    private static SocketsHttpHandler TrustingCluster(SocketsHttpHandler handler, string certificatePath)
    {
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPemFile(certificatePath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            // Outside a cluster there is none; the exchange then fails with its own reason.
            return handler;
        }

        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(roots);
        handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        return handler;
    }

    private static void Configure(ResiliencePipelineBuilder<HttpResponseMessage> pipeline, IServiceProvider services)
    {
        var options = services.GetRequiredService<OciOptions>();
        new SourceRequests(options.Retries, options.RetryDelay, options.LongestWait, options.AnswerTimeout).Configure(pipeline, services.GetRequiredService<StagingFlow>());
    }
}
