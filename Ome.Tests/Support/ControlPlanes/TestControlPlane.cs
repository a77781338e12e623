using k8s;
using k8s.Models;
using Ome.LocalCluster.Faults;

namespace Ome.Tests.Support.ControlPlanes;

/// <summary>What both control planes have in common: everything that goes through the API itself.</summary>
internal abstract class TestControlPlane(string name, Uri url, string token, string authorityPem, string kubeconfigPath, int minor) : ITestControlPlane
{
    private Kubernetes? _admin;

    public string Name => name;

    public Uri Url => url;

    public int Minor => minor;

    public string KubeconfigPath => kubeconfigPath;

    public KubernetesClientConfiguration Configuration => ConfigurationWith(token);

    public IKubernetes Admin => _admin ??= new Kubernetes(Configuration);

    public virtual FaultInjector? Faults => null;

    public virtual RequestLog? Requests => null;

    public abstract bool RunsControllers { get; }

    public async Task<KubernetesClientConfiguration> CreateServiceAccountConfigurationAsync(string ns, string account, CancellationToken cancellationToken)
    {
        try
        {
            await Admin.CoreV1.CreateNamespacedServiceAccountAsync(new V1ServiceAccount { Metadata = new V1ObjectMeta { Name = account } }, ns, cancellationToken: cancellationToken);
        }
        catch (k8s.Autorest.HttpOperationException e) when (e.Response.StatusCode == System.Net.HttpStatusCode.Conflict)
        {
            // It is there already.
        }
        var request = new Authenticationv1TokenRequest { Spec = new V1TokenRequestSpec { Audiences = [], ExpirationSeconds = 3600 } };
        var issued = await Admin.CoreV1.CreateNamespacedServiceAccountTokenAsync(request, account, ns, cancellationToken: cancellationToken);
        return ConfigurationWith(issued.Status.Token);
    }

    public async Task<IKubernetes> CreateServiceAccountClientAsync(string ns, string account, CancellationToken cancellationToken) =>
        new Kubernetes(await CreateServiceAccountConfigurationAsync(ns, account, cancellationToken));

    public async Task InstallCrdsAsync(string directory, CancellationToken cancellationToken)
    {
        foreach (var file in Directory.EnumerateFiles(directory, "*.yaml").Where(path => Path.GetFileName(path) != "kustomization.yaml").Order(StringComparer.Ordinal))
        {
            foreach (var crd in (await KubernetesYaml.LoadAllFromFileAsync(file)).OfType<V1CustomResourceDefinition>())
            {
                var patch = new V1Patch(crd, V1Patch.PatchType.ApplyPatch);
                await Admin.ApiextensionsV1.PatchCustomResourceDefinitionAsync(patch, crd.Name(), fieldManager: "ome-tests", force: true, cancellationToken: cancellationToken);
                await this.UntilServedAsync(crd.Spec.Group, crd.Spec.Versions.First(v => v.Served).Name, crd.Spec.Names.Plural, cancellationToken);
            }
        }
    }

    public virtual ValueTask DisposeAsync()
    {
        _admin?.Dispose();
        return ValueTask.CompletedTask;
    }

    private KubernetesClientConfiguration ConfigurationWith(string bearer) => new()
    {
        Host = url.AbsoluteUri.TrimEnd('/'),
        AccessToken = bearer,
        SslCaCerts = [System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(authorityPem)],
        Namespace = "default",
    };
}
