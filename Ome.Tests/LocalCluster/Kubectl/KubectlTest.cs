using Ome.Tests.Architecture;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Kubectl;

/// <summary>A command of the real kubectl works against the control plane. Each fixture runs once with every kubectl found.</summary>
/// <param name="found">Key of <see cref="Support.Kubectl.Programs"/>.</param>
public abstract class KubectlTest(string found)
{
    /// <summary>Where kubectls were found; one entry that finds nothing where there are none, so that the tests say that they were skipped.</summary>
    public static IEnumerable<string> Found => Support.Kubectl.Programs.Keys.DefaultIfEmpty("none");

    private readonly List<string> _clusterScoped = [];

    protected ITestControlPlane Plane { get; private set; } = null!;

    protected Support.Kubectl Kubectl { get; private set; } = null!;

    protected TempDirectory Files { get; private set; } = null!;

    /// <summary>A namespace of this test's own.</summary>
    protected string Namespace { get; private set; } = "";

    protected static string ConfigDirectory => Path.Combine(RepositoryTests.RepositoryRoot(), "config");

    [SetUp]
    public async Task PrepareAsync()
    {
        Support.Kubectl.Require();
        Plane = await ControlPlanes.SharedAsync(CancellationToken.None);
        await Plane.InstallCrdsAsync(Path.Combine(ConfigDirectory, "crd"), CancellationToken.None);
        Namespace = await Plane.CreateNamespaceAsync(CancellationToken.None);
        Kubectl = new Support.Kubectl(Plane.KubeconfigPath, Support.Kubectl.Programs[found]);
        Files = new TempDirectory();
    }

    [TearDown]
    public async Task CleanAsync()
    {
        if (Kubectl is null) return;
        foreach (var resource in _clusterScoped) await Kubectl.RunAsync(CancellationToken.None, "delete", resource, "--ignore-not-found", "--wait=false");
        Kubectl.Dispose();
        Files.Dispose();
    }

    /// <summary>Runs in this test's namespace.</summary>
    protected Task<KubectlResult> RunAsync(CancellationToken ct, params string[] arguments) => Kubectl.RunAsync(ct, [.. arguments, "-n", Namespace]);

    /// <summary>Runs in this test's namespace and gives the output of a success.</summary>
    protected async Task<string> OutputAsync(CancellationToken ct, params string[] arguments) => (await RunAsync(ct, arguments)).Succeeded();

    /// <summary>Writes a BaseModel to a file and gives its path.</summary>
    protected string ModelFile(string name, string format = "safetensors", string metadata = "")
    {
        var path = Files[$"{name}-{format}.yaml"];
        File.WriteAllText(path, $"""
            apiVersion: ome.io/v1beta1
            kind: BaseModel
            metadata:
              name: {name}
              {metadata}
            spec:
              modelFormat:
                name: {format}
              storage:
                storageUri: hf://org/{name}
            """);
        return path;
    }

    /// <summary>Applies a BaseModel.</summary>
    protected Task<string> ApplyModelAsync(string name, CancellationToken ct, string metadata = "") => OutputAsync(ct, "apply", "-f", ModelFile(name, metadata: metadata));

    /// <summary>Has a cluster-scoped object deleted after the test.</summary>
    protected void DeleteLater(string resource) => _clusterScoped.Add(resource);
}
