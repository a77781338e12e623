using k8s;

namespace KubeOps.KubernetesClient;

/// <summary>Finds the namespace this process runs in.</summary>
internal static class CurrentNamespace
{
    private const string ServiceAccountFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

    // A namespace is a DNS label; whatever is longer is not one.
    private const int LongestName = 63;

    internal static string Find(KubernetesClientConfiguration configuration, string environmentName)
    {
        if (!string.IsNullOrWhiteSpace(configuration.Namespace)) return configuration.Namespace;
#pragma warning disable RS0030 // The name of the variable is an argument of KubeOps' own interface.
        if (Environment.GetEnvironmentVariable(environmentName) is { Length: > 0 } fromEnvironment) return fromEnvironment;
#pragma warning restore RS0030
        return ReadServiceAccount() ?? "default";
    }

    private static string? ReadServiceAccount()
    {
        if (!File.Exists(ServiceAccountFile)) return null;
        using var reader = new StreamReader(ServiceAccountFile);
        var buffer = new char[LongestName + 1];
        var name = new string(buffer, 0, reader.ReadBlock(buffer)).Trim();
        return name.Length is > 0 and <= LongestName ? name : null;
    }
}
