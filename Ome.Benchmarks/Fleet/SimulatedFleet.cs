using System.Globalization;
using k8s;
using k8s.Models;
using Ome.LocalCluster.Faults;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Benchmarks.Fleet;

/// <summary>A local control plane with 50 models and as many nodes as wanted, every model Ready on every node; the benchmark plays the agents.</summary>
internal sealed class SimulatedFleet : IAsyncDisposable
{
    public const int ModelCount = 50;
    public const string Namespace = "ome";

    private readonly LocalCluster.LocalCluster _cluster;

    private SimulatedFleet(LocalCluster.LocalCluster cluster, Kubernetes client, string kubeconfig, int nodeCount) =>
        (_cluster, Client, Kubeconfig, NodeCount) = (cluster, client, kubeconfig, nodeCount);

    public static IReadOnlyList<ModelKey> Models { get; } = [.. Enumerable.Range(0, ModelCount).Select(static i => ModelKey.Cluster($"llama-3-1-8b-instruct-{i:D2}"))];

    public Kubernetes Client { get; }

    public string Kubeconfig { get; }

    public int NodeCount { get; }

    public RequestLog Requests => _cluster.Requests;

    public static async Task<SimulatedFleet> StartAsync(int nodeCount, CancellationToken cancellationToken)
    {
        var cluster = await LocalCluster.LocalCluster.StartAsync(new LocalCluster.LocalClusterOptions(), cancellationToken);
        var kubeconfig = Path.Combine(Path.GetTempPath(), $"ome-fleet-{Guid.NewGuid():N}");
        await cluster.WriteKubeconfigAsync(kubeconfig, cancellationToken);
        var fleet = new SimulatedFleet(cluster, new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig)), kubeconfig, nodeCount);
        await fleet.InstallAsync(cancellationToken);
        await fleet.FillAsync(cancellationToken);
        return fleet;
    }

    public static string Node(int i) => "gpu-" + i.ToString("D5", CultureInfo.InvariantCulture);

    /// <summary>An agent writes entries of one node: damaged or mended.</summary>
    public Task<V1ConfigMap> ReportAsync(int node, IEnumerable<ModelKey> models, bool ready, CancellationToken cancellationToken) =>
        WriteAsync(node, models.ToDictionary(static model => model.DataKey, model => NodeReportCodec.Encode(ready ? Ready(model) : Damaged(model))), cancellationToken);

    /// <summary>An agent writes what decides nothing: another finished check, or how far a download is.</summary>
    public Task TickAsync(int node, ModelKey model, int tick, CancellationToken cancellationToken)
    {
        var entry = Ready(model);
        entry = entry with { Validation = entry.Validation! with { LastCheckedTime = entry.Validation.LastCheckedTime!.Value.AddSeconds(tick) } };
        return WriteAsync(node, new() { [model.DataKey] = NodeReportCodec.Encode(entry) }, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _cluster.DisposeAsync();
        File.Delete(Kubeconfig);
    }

    private Task<V1ConfigMap> WriteAsync(int node, Dictionary<string, string> data, CancellationToken cancellationToken) =>
        Client.CoreV1.PatchNamespacedConfigMapAsync(new V1Patch(new { data }, V1Patch.PatchType.MergePatch), Node(node), Namespace, cancellationToken: cancellationToken);

    private async Task InstallAsync(CancellationToken cancellationToken)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(BenchmarkContext.RepositoryRoot(), "config/crd"), "ome.io_*.yaml"))
        {
            foreach (var crd in (await KubernetesYaml.LoadAllFromFileAsync(file)).OfType<V1CustomResourceDefinition>())
            {
                await Client.ApiextensionsV1.CreateCustomResourceDefinitionAsync(crd, cancellationToken: cancellationToken);
            }
        }

        await Client.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = Namespace } }, cancellationToken: cancellationToken);
    }

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        foreach (var model in Models) await CreateModelAsync(model, cancellationToken);
        var data = Models.ToDictionary(static model => model.DataKey, static model => NodeReportCodec.Encode(Ready(model)), StringComparer.Ordinal);
        await Parallel.ForEachAsync(Enumerable.Range(0, NodeCount), new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = cancellationToken }, async (i, token) =>
        {
            var name = Node(i);
            await Client.CoreV1.CreateNodeAsync(new V1Node { Metadata = new V1ObjectMeta { Name = name } }, cancellationToken: token);
            var meta = new V1ObjectMeta { Name = name, Labels = new Dictionary<string, string>(NodeReport.LabelsFor(name)) };
            await Client.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = meta, Data = data }, Namespace, cancellationToken: token);
        });
    }

    private Task<ClusterBaseModel> CreateModelAsync(ModelKey key, CancellationToken cancellationToken)
    {
        var model = new ClusterBaseModel
        {
            Metadata = new V1ObjectMeta { Name = key.Name },
            Spec = new BaseModelSpec { Storage = new ModelStorage { StorageUri = Uri(key), Path = "/mnt/models/" + key.Name } },
            Status = null!,
        };
        return Client.CustomObjects.CreateClusterCustomObjectAsync<ClusterBaseModel>(model, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, cancellationToken: cancellationToken);
    }

    private static NodeModelEntry Ready(ModelKey model) => SampleReports.Ready(model.Name, Uri(model));

    private static NodeModelEntry Damaged(ModelKey model) => Ready(model) with
    {
        Status = NodeModelStates.Failed,
        Validation = new ReportedValidation { Mode = "Basic", Result = ValidationResults.Invalid, Reason = "FileMissing", Message = "model-00002-of-00004.safetensors is missing" },
    };

    private static string Uri(ModelKey model) => "hf://meta-llama/" + model.Name;
}
