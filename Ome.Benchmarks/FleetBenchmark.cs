using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Shared.Kube;

namespace Ome.Benchmarks;

/// <summary>
/// The real operator process against a fleet of simulated nodes on the local control plane: cold start, one flipped entry to CR status, a storm in
/// which every node flips, memory, API requests. Baseline: OME's algorithm (list all reports and get all nodes for every model of the changed
/// report) on the same control plane. Control plane, nodes and operator share the machine's cores.
/// </summary>
internal sealed class FleetBenchmark : IAsyncDisposable
{
    private const int ModelCount = 50;
    private const string Namespace = "ome";
    private static readonly ModelKey[] Models = [.. Enumerable.Range(0, ModelCount).Select(static i => ModelKey.Cluster($"llama-3-1-8b-instruct-{i:D2}"))];

    private readonly LocalCluster.LocalCluster _cluster;
    private readonly Kubernetes _client;
    private readonly string _kubeconfig;
    private readonly int _nodeCount;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel _seen = new();
    private Task _watching = Task.CompletedTask;
    private Process? _operator;

    private FleetBenchmark(LocalCluster.LocalCluster cluster, Kubernetes client, string kubeconfig, int nodeCount)
    {
        (_cluster, _client, _kubeconfig, _nodeCount) = (cluster, client, kubeconfig, nodeCount);
    }

    public static async Task RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        foreach (var nodes in context.Quick ? [100] : new[] { 100, 1_000, 5_000 })
        {
            await using var fleet = await StartAsync(nodes, cancellationToken);
            await fleet.MeasureAsync(context.Quick ? 50 : 200, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_operator is { HasExited: false } running)
        {
            running.Kill();
            await running.WaitForExitAsync();
        }

        _operator?.Dispose();
        await _stop.CancelAsync();
        await _watching;
        _client.Dispose();
        await _cluster.DisposeAsync();
        File.Delete(_kubeconfig);
        _stop.Dispose();
    }

    private static async Task<FleetBenchmark> StartAsync(int nodeCount, CancellationToken cancellationToken)
    {
        var cluster = await LocalCluster.LocalCluster.StartAsync(new LocalCluster.LocalClusterOptions(), cancellationToken);
        var kubeconfig = Path.Combine(Path.GetTempPath(), $"ome-fleet-{Guid.NewGuid():N}");
        await cluster.WriteKubeconfigAsync(kubeconfig, cancellationToken);
        var client = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));
        var fleet = new FleetBenchmark(cluster, client, kubeconfig, nodeCount);
        await fleet.FillAsync(cancellationToken);
        return fleet;
    }

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(RepositoryRoot(), "config/crd"), "ome.io_*.yaml"))
        {
            foreach (var crd in (await KubernetesYaml.LoadAllFromFileAsync(file)).OfType<V1CustomResourceDefinition>())
            {
                await _client.ApiextensionsV1.CreateCustomResourceDefinitionAsync(crd, cancellationToken: cancellationToken);
            }
        }

        await _client.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = Namespace } }, cancellationToken: cancellationToken);
        foreach (var model in Models) await CreateModelAsync(model, cancellationToken);
        var data = Models.ToDictionary(static model => model.DataKey, static model => SampleReports.ReadyEntry(model.Name, Uri(model)), StringComparer.Ordinal);
        await Parallel.ForEachAsync(Enumerable.Range(0, _nodeCount), new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = cancellationToken }, async (i, token) =>
        {
            var name = Node(i);
            await _client.CoreV1.CreateNodeAsync(new V1Node { Metadata = new V1ObjectMeta { Name = name } }, cancellationToken: token);
            var meta = new V1ObjectMeta { Name = name, Labels = new Dictionary<string, string>(NodeReport.LabelsFor(name)) };
            await _client.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = meta, Data = data }, Namespace, cancellationToken: token);
        });
    }

    private async Task MeasureAsync(int flips, CancellationToken cancellationToken)
    {
        var informer = new Informer<ClusterBaseModel, ClusterBaseModel>(
            _client, new InformerOptions(), static model => model, _seen.OnModelAsync, TimeProvider.System, NullLogger<Informer<ClusterBaseModel, ClusterBaseModel>>.Instance);
        _watching = informer.RunAsync(_stop.Token);
        await informer.WaitForSyncAsync(cancellationToken);

        var started = Stopwatch.GetTimestamp();
        StartOperator();
        foreach (var model in Models) await _seen.UntilAsync(model.Name, status => status?.NodesReady?.Count == _nodeCount, cancellationToken);
        Row("cold start, process start to all statuses right", $"{Stopwatch.GetElapsedTime(started).TotalSeconds,9:F2} s");
        Row("operator memory after cold start", Memory());

        await PropagationAsync(flips, cancellationToken);
        await StormAsync(cancellationToken);
        await BaselineAsync(cancellationToken);
    }

    /// <summary>One entry flips, at most once a second per model: how long until the CR shows it.</summary>
    private async Task PropagationAsync(int flips, CancellationToken cancellationToken)
    {
        await FlipAsync(0, Models[^1], ready: false, cancellationToken);
        await FlipAsync(0, Models[^1], ready: true, cancellationToken);
        var before = Cpu();
        _cluster.Requests.Clear();
        var times = new double[flips];
        for (var i = 0; i < flips; i++)
        {
            // Every model gets its turn before one comes again, so that the limit of one write a second is not what is measured.
            var pause = Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System, cancellationToken);
            // Each round flips all models on one node: the even rounds away, the odd ones back.
            times[i] = await FlipAsync(i / (2 * ModelCount) % _nodeCount, Models[i % ModelCount], ready: i / ModelCount % 2 != 0, cancellationToken);
            await pause;
        }

        var requests = _cluster.Requests.Last.Where(static request => request.Resource != "configmaps" && request.Verb != "watch").ToList();
        Array.Sort(times);
        Row($"{flips} flips, write of the report to status in a watch", $"p50 {times[flips / 2] * 1e3,6:F1} ms  p99 {times[flips * 99 / 100] * 1e3,6:F1} ms  max {times[^1] * 1e3,6:F1} ms");
        Row("operator CPU per flip", $"{(Cpu() - before) / flips * 1e3,9:F2} ms");
        Row("API requests of the operator per flip", $"{(double)requests.Count / flips,9:F2}  ({Summary(requests)})");
    }

    /// <summary>Every node loses one model and then gets it back, as fast as the control plane takes it.</summary>
    private async Task StormAsync(CancellationToken cancellationToken)
    {
        var model = Models[1];
        var writes = _seen.Versions(model.Name);
        var started = Stopwatch.GetTimestamp();
        foreach (var ready in new[] { false, true })
        {
            var patch = Patch(model, ready);
            await Parallel.ForEachAsync(Enumerable.Range(0, _nodeCount), new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = cancellationToken }, async (i, token) =>
                await _client.CoreV1.PatchNamespacedConfigMapAsync(patch, Node(i), Namespace, cancellationToken: token));
        }

        var written = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await _seen.UntilAsync(model.Name, status => status?.NodesReady?.Count == _nodeCount, cancellationToken);
        var total = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Row($"storm: {2 * _nodeCount} reports in {written:F1} s, then right after", $"{total - written,9:F2} s");
        Row("storm: status writes of the model per second", $"{(_seen.Versions(model.Name) - writes) / total,9:F2}");
        Row("operator memory after the storm", Memory());
    }

    /// <summary>What OME does for one model of one changed report; a report of 50 models starts it 50 times.</summary>
    private async Task BaselineAsync(CancellationToken cancellationToken)
    {
        _cluster.Requests.Clear();
        var started = Stopwatch.GetTimestamp();
        var requests = 2;
        await _client.CustomObjects.GetClusterCustomObjectAsync<ClusterBaseModel>(OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, Models[0].Name, cancellationToken);
        var reports = await _client.CoreV1.ListNamespacedConfigMapAsync(Namespace, labelSelector: OmeNames.ReportSelector, cancellationToken: cancellationToken);
        foreach (var report in reports.Items)
        {
            await _client.CoreV1.ReadNodeAsync(report.Name(), cancellationToken: cancellationToken);
            NodeReportCodec.TryDecode(report.Data[Models[0].DataKey], out _, out _);
            requests++;
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Row("baseline (OME): one model of one changed report", $"{seconds * 1e3,9:F0} ms, {requests} requests; x {ModelCount} models = {requests * ModelCount} requests per flip");
    }

    private async Task<double> FlipAsync(int node, ModelKey model, bool ready, CancellationToken cancellationToken)
    {
        bool Shows(BaseModelStatus? status) => status?.NodesFailed?.Contains(Node(node)) == !ready;
        if (_seen.Shows(model.Name, Shows)) throw new InvalidOperationException("The status shows the change before it is made: nothing would be measured.");
        var started = Stopwatch.GetTimestamp();
        await _client.CoreV1.PatchNamespacedConfigMapAsync(Patch(model, ready), Node(node), Namespace, cancellationToken: cancellationToken);
        await _seen.UntilAsync(model.Name, Shows, cancellationToken);
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static V1Patch Patch(ModelKey model, bool ready)
    {
        var entry = SampleReports.Ready(model.Name, Uri(model));
        if (!ready)
        {
            entry = entry with
            {
                Status = NodeModelStates.Failed,
                Validation = new ReportedValidation { Mode = "Basic", Result = ValidationResults.Invalid, Reason = "FileMissing", Message = "model-00002-of-00004.safetensors is missing" },
            };
        }

        return new V1Patch(new { data = new Dictionary<string, string> { [model.DataKey] = NodeReportCodec.Encode(entry) } }, V1Patch.PatchType.MergePatch);
    }

    private void StartOperator()
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ome-operator.dll"), "--host", "127.0.0.1", "--port", "0", "--leader-elect", "false", "--namespace", Namespace, "--log-level", "warn"]);
        start.Environment["KUBECONFIG"] = _kubeconfig;
        _operator = Process.Start(start) ?? throw new InvalidOperationException("the operator did not start");
    }

    private string Memory()
    {
        _operator!.Refresh();
        return $"{_operator.WorkingSet64 / 1048576.0,9:F0} MiB resident, {_operator.PeakWorkingSet64 / 1048576.0:F0} MiB at its peak";
    }

    private double Cpu()
    {
        _operator!.Refresh();
        return _operator.TotalProcessorTime.TotalSeconds;
    }

    private Task<ClusterBaseModel> CreateModelAsync(ModelKey key, CancellationToken cancellationToken)
    {
        var model = new ClusterBaseModel
        {
            Metadata = new V1ObjectMeta { Name = key.Name },
            Spec = new BaseModelSpec { Storage = new ModelStorage { StorageUri = Uri(key), Path = "/mnt/models/" + key.Name } },
            Status = null!,
        };
        return _client.CustomObjects.CreateClusterCustomObjectAsync<ClusterBaseModel>(model, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, cancellationToken: cancellationToken);
    }

    private void Row(string what, string figure) => BenchmarkContext.Row($"{_nodeCount} nodes: {what}", figure);

    private static string Summary(IEnumerable<LocalCluster.Faults.RequestFacts> requests) => string.Join(", ", requests
        .GroupBy(static request => $"{request.Verb} {request.Resource}{(request.Subresource.Length > 0 ? "/" + request.Subresource : string.Empty)}", StringComparer.Ordinal)
        .OrderByDescending(static group => group.Count()).Take(5).Select(static group => $"{group.Count()} {group.Key}"));

    private static string Node(int i) => "gpu-" + i.ToString("D5", CultureInfo.InvariantCulture);

    private static string Uri(ModelKey model) => "hf://meta-llama/" + model.Name;

    private static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Ome.sln"))) directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("Run it from a checkout: config/crd is needed.");
    }

    /// <summary>The statuses as a watch shows them, and who waits for one.</summary>
    private sealed class Channel
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, BaseModelStatus?> _status = new(StringComparer.Ordinal);
        private readonly ConcurrentDictionary<string, int> _versions = new(StringComparer.Ordinal);
        private readonly List<(string Name, Func<BaseModelStatus?, bool> IsMet, TaskCompletionSource Met)> _waiting = [];

        public bool Shows(string name, Func<BaseModelStatus?, bool> condition)
        {
            lock (_gate) return _status.TryGetValue(name, out var status) && condition(status);
        }

        public int Versions(string name) => _versions.GetValueOrDefault(name);

        public ValueTask OnModelAsync(InformerEvent<ClusterBaseModel> change, CancellationToken cancellationToken)
        {
            lock (_gate)
            {
                var name = change.Object.Name.Name;
                _versions.AddOrUpdate(name, 1, static (_, count) => count + 1);
                _status[name] = change.Item.Status;
                for (var i = _waiting.Count - 1; i >= 0; i--)
                {
                    if (_waiting[i].Name != name || !_waiting[i].IsMet(change.Item.Status)) continue;
                    _waiting[i].Met.TrySetResult();
                    _waiting.RemoveAt(i);
                }
            }

            return ValueTask.CompletedTask;
        }

        public Task UntilAsync(string name, Func<BaseModelStatus?, bool> isMet, CancellationToken cancellationToken)
        {
            lock (_gate)
            {
                if (_status.TryGetValue(name, out var status) && isMet(status)) return Task.CompletedTask;
                var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting.Add((name, isMet, met));
                return met.Task.WaitAsync(cancellationToken);
            }
        }
    }
}
