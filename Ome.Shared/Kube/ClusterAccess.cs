using System.Security.Cryptography;
using k8s;
using k8s.Exceptions;

namespace Ome.Shared.Kube;

/// <summary>Which cluster a program talks to, and as whom: as kubectl chooses.</summary>
public static class ClusterAccess
{
    /// <summary>The files KUBECONFIG names, else <c>~/.kube/config</c>, else the pod's service account.</summary>
    /// <param name="environment">Looks up a variable.</param>
    /// <exception cref="KubeConfigException">There is no cluster, or a file does not name one; the message is for people.</exception>
    public static KubernetesClientConfiguration Find(Func<string, string?> environment)
    {
        var files = Files(environment);
        if (files.Count > 0) return Of(files);
        return KubernetesClientConfiguration.IsInCluster()
            ? KubernetesClientConfiguration.InClusterConfig()
            : throw new KubeConfigException("there is no cluster to talk to: KUBECONFIG is not set, ~/.kube/config is not there, and this is not a pod; set KUBECONFIG");
    }

    private static KubernetesClientConfiguration Of(List<string> files)
    {
        try
        {
            return KubernetesClientConfiguration.BuildConfigFromConfigObject(KubeconfigReader.Read(files));
        }
        catch (Exception unusable) when (unusable is FormatException or IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new KubeConfigException($"the certificates or keys in the kubeconfig {string.Join(", ", files)} cannot be used: {unusable.Message}", unusable);
        }
    }

    private static List<string> Files(Func<string, string?> environment)
    {
        if (environment("KUBECONFIG") is { Length: > 0 } named) return [.. named.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(path => path.Trim('"'))];
        var own = Path.Combine(environment("HOME") ?? "/", ".kube", "config");
        return File.Exists(own) ? [own] : [];
    }
}
