using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Staging.Oci;

/// <summary>Wiring of the OCI Object Storage source. The container also holds an <see cref="ISecretReader"/>.</summary>
public static class OciServices
{
    /// <summary>Adds <c>oci://</c>.</summary>
    /// <param name="services">The agent's container.</param>
    /// <param name="shapes">Short names of instance types (contract 4.4).</param>
    public static IServiceCollection AddOciSource(this IServiceCollection services, NodeShapes? shapes = null)
    {
        services.AddCheckedOptions<OciOptions, OciOptionsRules>();
        services.TryAddSingleton<StagingFlow>();
        services.AddSingleton<OciHttp>();
        services.AddSingleton<OciAuthenticators>();
        services.AddSingleton<IArtifactSource>(provider => ActivatorUtilities.CreateInstance<OciSource>(provider, shapes ?? NodeShapes.Default));
        // Proxies of the environment are not asked (contract 5.2).
        services.AddSourceClient<OciOptions>(OciHttp.StoreClient, static (handler, _) => handler.UseProxy = false);
        services.AddSourceClient<OciOptions>(OciHttp.ClusterClient, static (handler, options) =>
        {
            handler.UseProxy = false;
            TrustCluster(handler, options.ServiceAccountCertificatePath);
        });
        return services;
    }

    private static void TrustCluster(SocketsHttpHandler handler, string certificatePath)
    {
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPemFile(certificatePath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            // Outside a cluster there is none; the exchange then fails with its own reason.
            return;
        }

        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(roots);
        handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
    }
}
