using System.Runtime.CompilerServices;
using k8s.Exceptions;
using k8s.KubeConfigModels;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Ome.Shared.Kube;

/// <summary>
/// Reads kubeconfig files from their nodes. KubernetesClient's own reader looks for the members of its classes while it runs, which a program compiled ahead
/// of time cannot.
/// </summary>
internal static class KubeconfigReader
{
    private const int MostBytes = 1 << 20;

    /// <summary>Several files become one: of what they both name the first file's counts, and a file that is not there is passed over unless all are.</summary>
    /// <exception cref="KubeConfigException">None is there, or one cannot be read or understood; the message names the file.</exception>
    public static K8SConfiguration Read(IReadOnlyList<string> paths)
    {
        var found = paths.Where(File.Exists).Select(ReadFile).ToList();
        if (found.Count == 0) throw new KubeConfigException($"the kubeconfig {string.Join(", ", paths)} is not there: check KUBECONFIG");
        return new K8SConfiguration
        {
            CurrentContext = found.Select(file => file.CurrentContext).FirstOrDefault(name => !string.IsNullOrEmpty(name)),
            Clusters = [.. found.SelectMany(file => file.Clusters).DistinctBy(cluster => cluster.Name)],
            Contexts = [.. found.SelectMany(file => file.Contexts).DistinctBy(context => context.Name)],
            Users = [.. found.SelectMany(file => file.Users).DistinctBy(user => user.Name)],
        };
    }

    private static K8SConfiguration ReadFile(string path)
    {
        try
        {
            var directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
            var root = Load(path);
            return new K8SConfiguration
            {
                CurrentContext = root.Text("current-context"),
                Clusters = [.. root.Items("clusters").Select(item => new Cluster { Name = item.Name(), ClusterEndpoint = Endpoint(item.Map("cluster"), directory) })],
                Contexts = [.. root.Items("contexts").Select(item => new Context { Name = item.Name(), ContextDetails = Details(item.Map("context")) })],
                Users = [.. root.Items("users").Select(item => new User { Name = item.Name(), UserCredentials = Credentials(item.Name(), item.Map("user"), directory) })],
            };
        }
        catch (Exception unreadable) when (unreadable is YamlException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new KubeConfigException($"the kubeconfig {path} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    private static YamlMappingNode Load(string path)
    {
        using var file = File.OpenText(path);
        if (file.BaseStream.Length > MostBytes) throw new InvalidDataException($"it has more than {MostBytes} bytes");
        var yaml = new YamlStream();
        yaml.Load(file);
        return yaml.Documents is [{ RootNode: YamlMappingNode root }] ? root : throw new InvalidDataException("it is no YAML mapping");
    }

    private static ClusterEndpoint? Endpoint(YamlMappingNode? node, string directory) => node is null ? null : new ClusterEndpoint
    {
        Server = node.Text("server"),
        CertificateAuthority = Absolute(node.Text("certificate-authority"), directory),
        CertificateAuthorityData = node.Text("certificate-authority-data"),
        TlsServerName = node.Text("tls-server-name"),
        SkipTlsVerify = node.Text("insecure-skip-tls-verify") is "true",
    };

    private static ContextDetails? Details(YamlMappingNode? node) => node is null ? null : new ContextDetails
    {
        Cluster = node.Text("cluster"),
        User = node.Text("user"),
        Namespace = node.Text("namespace"),
    };

    private static UserCredentials? Credentials(string? user, YamlMappingNode? node, string directory)
    {
        if (node is null) return null;
        if (node.Map("auth-provider") is not null) throw new InvalidDataException($"user '{user}' has an auth-provider, which Kubernetes 1.26 removed: use exec, a token or a client certificate");
        return new UserCredentials
        {
            Token = node.Text("token") ?? TokenOf(Absolute(node.Text("tokenFile"), directory)),
            UserName = node.Text("username"),
            Password = node.Text("password"),
            ClientCertificate = Absolute(node.Text("client-certificate"), directory),
            ClientCertificateData = node.Text("client-certificate-data"),
            ClientKey = Absolute(node.Text("client-key"), directory),
            ClientKeyData = node.Text("client-key-data"),
            ExternalExecution = Execution(user, node.Map("exec")),
        };
    }

    private static ExternalExecution? Execution(string? user, YamlMappingNode? node)
    {
        if (node is null) return null;
        if (!RuntimeFeature.IsDynamicCodeSupported)
        {
            throw new InvalidDataException($"user '{user}' gets credentials from a program (exec), which this build cannot ask: use a token, a client certificate, or the build that runs on .NET");
        }

        return new ExternalExecution
        {
            ApiVersion = node.Text("apiVersion"),
            Command = node.Text("command"),
            Arguments = [.. node.Texts("args")],
            EnvironmentVariables = [.. node.Items("env").Select(item => new Dictionary<string, string> { ["name"] = item.Name() ?? "", ["value"] = item.Text("value") ?? "" })],
            InstallHint = node.Text("installHint"),
            ProvideClusterInfo = node.Text("provideClusterInfo") is "true",
        };
    }

    private static string? Absolute(string? path, string directory) => string.IsNullOrEmpty(path) ? null : Path.Combine(directory, path);

    private static string? TokenOf(string? path)
    {
        if (path is null) return null;
        using var file = File.OpenText(path);
        return file.BaseStream.Length > MostBytes ? throw new InvalidDataException($"{path} is no token") : file.ReadToEnd().Trim();
    }

    private static YamlNode? Member(this YamlMappingNode node, string name) => node.Children.TryGetValue(new YamlScalarNode(name), out var value) ? value : null;

    private static string? Text(this YamlMappingNode node, string name) => node.Member(name) is YamlScalarNode { Value: { Length: > 0 } text } ? text : null;

    private static string? Name(this YamlMappingNode node) => node.Text("name");

    private static YamlMappingNode? Map(this YamlMappingNode node, string name) => node.Member(name) as YamlMappingNode;

    private static IEnumerable<YamlMappingNode> Items(this YamlMappingNode node, string name) => node.Member(name) is YamlSequenceNode items ? items.OfType<YamlMappingNode>() : [];

    private static IEnumerable<string> Texts(this YamlMappingNode node, string name) =>
        node.Member(name) is YamlSequenceNode items ? items.OfType<YamlScalarNode>().Select(item => item.Value ?? "") : [];
}
