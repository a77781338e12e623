using k8s;
using k8s.Models;
using Ome.LocalCluster;
using Ome.Tests.Architecture;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Support;

/// <summary>The rights of config/rbac on a control plane: as they are shipped, and with one rule taken away.</summary>
internal static class ShippedRights
{
    /// <summary>Namespace that the manifests name.</summary>
    public const string Namespace = "ome";

    /// <summary>Applies the roles and bindings of <c>agent</c> or <c>operator</c>; the namespace exists.</summary>
    public static async Task ApplyAsync(ITestControlPlane plane, string program, CancellationToken cancellationToken)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(RepositoryTests.RepositoryRoot(), "config/rbac"), program + "_*.yaml"))
        {
            foreach (var one in KubernetesYaml.LoadAllFromString(await File.ReadAllTextAsync(file, cancellationToken))) await CreateAsync(plane.Admin, one, cancellationToken);
        }
    }

    /// <summary>A kubeconfig with the rights of a service account and no others.</summary>
    public static async Task<string> KubeconfigAsync(ITestControlPlane plane, string account, string directory, CancellationToken cancellationToken)
    {
        var configuration = await plane.CreateServiceAccountConfigurationAsync(Namespace, account, cancellationToken);
        var path = Path.Combine(directory, account + ".kubeconfig");
        await Kubeconfig.WriteAsync(path, plane.Url, configuration.SslCaCerts[0].ExportCertificatePem(), configuration.AccessToken, cancellationToken);
        return path;
    }

    /// <summary>Takes the rule about a resource from the roles of an account; disposing gives it back.</summary>
    public static async Task<IAsyncDisposable> RevokeAsync(ITestControlPlane plane, string account, string resource, CancellationToken cancellationToken)
    {
        var rbac = plane.Admin.RbacAuthorizationV1;
        var everywhere = await rbac.ReadClusterRoleAsync(account, cancellationToken: cancellationToken);
        var here = await rbac.ReadNamespacedRoleAsync(account, Namespace, cancellationToken: cancellationToken);
        (everywhere.Rules.Count(Names) + here.Rules.Count(Names)).Should().Be(1, "one rule of {0} is about {1}", account, resource);
        await WriteAsync([.. everywhere.Rules.Where(rule => !Names(rule))], [.. here.Rules.Where(rule => !Names(rule))]);
        return new Giver(() => WriteAsync(everywhere.Rules, here.Rules));

        bool Names(V1PolicyRule rule) => rule.Resources.Contains(resource);

        async Task WriteAsync(IList<V1PolicyRule> cluster, IList<V1PolicyRule> local)
        {
            await rbac.PatchClusterRoleAsync(new V1Patch(new { rules = cluster }, V1Patch.PatchType.MergePatch), account, cancellationToken: CancellationToken.None);
            await rbac.PatchNamespacedRoleAsync(new V1Patch(new { rules = local }, V1Patch.PatchType.MergePatch), account, Namespace, cancellationToken: CancellationToken.None);
        }
    }

    private static Task CreateAsync(IKubernetes client, object resource, CancellationToken cancellationToken) => resource switch
    {
        V1ClusterRole role => client.RbacAuthorizationV1.CreateClusterRoleAsync(role, cancellationToken: cancellationToken),
        V1ClusterRoleBinding binding => client.RbacAuthorizationV1.CreateClusterRoleBindingAsync(binding, cancellationToken: cancellationToken),
        V1Role role => client.RbacAuthorizationV1.CreateNamespacedRoleAsync(role, Namespace, cancellationToken: cancellationToken),
        V1RoleBinding binding => client.RbacAuthorizationV1.CreateNamespacedRoleBindingAsync(binding, Namespace, cancellationToken: cancellationToken),
        // Made with its token.
        V1ServiceAccount => Task.CompletedTask,
        _ => throw new InvalidOperationException($"config/rbac holds a {resource.GetType().Name}"),
    };

    private sealed class Giver(Func<Task> give) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await give();
    }
}
