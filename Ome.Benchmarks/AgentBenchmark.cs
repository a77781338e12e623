using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using Ome.LocalCluster.Fakes;
using Ome.LocalCluster.Faults;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Benchmarks;

/// <summary>
/// The real agent process with 50 Ready local models and default settings on the local control plane: time to the first healthy probe, then what it costs
/// while nothing happens: memory, processor, API requests. Then how soon a model whose file is unlinked is withdrawn. Then the same with a byte budget and a
/// full check of everything asked for, to see that the budget is kept. <c>OME_BENCH_MINUTES</c> (10) is the length of the idle sample,
/// <c>OME_BENCH_AGENT</c> another build than the image's, <c>OME_BENCH_PARTS</c> (<c>idle,withdrawal,budget</c>) what is run,
/// <c>OME_BENCH_MODEL_MIB</c> (8) the size of each model and <c>OME_BENCH_BUDGET</c> (16000000) the bytes per second of the budget.
/// </summary>
internal sealed partial class AgentBenchmark : IAsyncDisposable
{
    private const int ModelCount = 50;
    private const string Namespace = "ome";
    private const string NodeName = "bench-node";

    private static readonly long BytesPerModel = Number("OME_BENCH_MODEL_MIB", 8) << 20;
    private static readonly long Budget = Number("OME_BENCH_BUDGET", 16_000_000);

    private readonly LocalCluster.LocalCluster _cluster;
    private readonly Kubernetes _client;
    private readonly DirectoryInfo _root;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly Targets _targets = new();
    private Process? _agent;

    private AgentBenchmark(LocalCluster.LocalCluster cluster, Kubernetes client, DirectoryInfo root) => (_cluster, _client, _root) = (cluster, client, root);

    private string Kubeconfig => Path.Combine(_root.FullName, "kubeconfig");

    private string ModelsRoot => Path.Combine(_root.FullName, "models");

    public static async Task RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var minutes = double.TryParse(Variable("OME_BENCH_MINUTES"), CultureInfo.InvariantCulture, out var asked) ? asked : context.Quick ? 0.5 : 10;
        await using var bench = await StartAsync(cancellationToken);
        BenchmarkContext.Row("the agent is", BenchmarkContext.AgentProgram());
        var parts = (Variable("OME_BENCH_PARTS") ?? "idle,withdrawal,budget").Split(',');
        if (parts.Contains("idle")) await bench.IdleAsync(TimeSpan.FromMinutes(minutes), cancellationToken);
        if (parts.Contains("withdrawal")) await bench.WithdrawalAsync(cancellationToken);
        if (parts.Contains("budget")) await bench.BudgetAsync(cancellationToken);
        bench._targets.Print();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAgentAsync();
        _http.Dispose();
        _client.Dispose();
        await _cluster.DisposeAsync();
        _root.Delete(recursive: true);
    }

    private static async Task<AgentBenchmark> StartAsync(CancellationToken cancellationToken)
    {
        var root = Directory.CreateTempSubdirectory("ome-bench-agent-");
        var cluster = await LocalCluster.LocalCluster.StartAsync(new LocalCluster.LocalClusterOptions(), cancellationToken);
        var kubeconfig = Path.Combine(root.FullName, "kubeconfig");
        await cluster.WriteKubeconfigAsync(kubeconfig, cancellationToken);
        var client = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));
        var bench = new AgentBenchmark(cluster, client, root);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(BenchmarkContext.RepositoryRoot(), "config/crd"), "ome.io_*.yaml"))
        {
            foreach (var crd in (await KubernetesYaml.LoadAllFromFileAsync(file)).OfType<V1CustomResourceDefinition>()) await client.ApiextensionsV1.CreateCustomResourceDefinitionAsync(crd, cancellationToken: cancellationToken);
        }

        await client.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = Namespace } }, cancellationToken: cancellationToken);
        await client.CoreV1.CreateNodeAsync(new V1Node { Metadata = new V1ObjectMeta { Name = NodeName } }, cancellationToken: cancellationToken);
        for (var i = 0; i < ModelCount; i++)
        {
            var directory = Path.Combine(bench.ModelsRoot, Name(i));
            ModelTree.Write(directory, new ModelTreeOptions(Seed: i, TotalBytes: BytesPerModel));
            var storage = new ModelStorage { StorageUri = "local://" + directory };
            await client.CustomObjects.CreateClusterCustomObjectAsync<ClusterBaseModel>(
                new ClusterBaseModel { Metadata = new V1ObjectMeta { Name = Name(i) }, Spec = new BaseModelSpec { Storage = storage }, Status = null! },
                OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, cancellationToken: cancellationToken);
        }

        return bench;
    }

    private async Task IdleAsync(TimeSpan span, CancellationToken cancellationToken)
    {
        var port = FreePort();
        _targets.AtMost("start to the first healthy probe", 1, (await StartAgentAsync(port, [], cancellationToken)).TotalSeconds, "s");
        var ready = await UntilAsync(ProvenAsync, cancellationToken);
        BenchmarkContext.Row($"start to {ModelCount} models Ready, hashed and reported", $"{ready.TotalSeconds,9:F2} s");
        var quiet = await UntilQuietAsync(cancellationToken);
        BenchmarkContext.Row("then until the API server is left alone", $"{quiet.TotalSeconds,9:F2} s");

        _cluster.Requests.Clear();
        var (started, cpu, peak, sum, samples) = (Stopwatch.GetTimestamp(), Cpu(), 0L, 0L, 0);
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1), TimeProvider.System);
        while (Stopwatch.GetElapsedTime(started) < span && await tick.WaitForNextTickAsync(cancellationToken))
        {
            var resident = Resident();
            (peak, sum, samples) = (Math.Max(peak, resident), sum + resident, samples + 1);
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var (requests, writes) = (_cluster.Requests.Last, _cluster.Requests.Writes);
        var share = (Cpu() - cpu) / seconds * 100;
        BenchmarkContext.Row($"idle for {seconds / 60:F1} min: resident, mean and most", $"{Mib(sum / Math.Max(1, samples)),9:F1} MiB, {Mib(peak):F1} MiB  {Memory()}");
        BenchmarkContext.Row("idle: processor", $"{share,9:F3} % of a core");
        BenchmarkContext.Row("idle: API writes per hour", $"{writes.Count / seconds * 3600,9:F0}  {Summary(writes)}");
        _targets.AtMost("idle: resident, mean", 75, Mib(sum / Math.Max(1, samples)), "MiB");
        _targets.AtMost("idle: processor", 0.2, share, "% of a core");
        _targets.AtMost("idle: API writes per hour", 60, writes.Count / seconds * 3600, "");
        BenchmarkContext.Row("idle: all API requests per hour", $"{requests.Count / seconds * 3600,9:F0}  {Summary(requests)}");
        await StopAgentAsync();
    }

    /// <summary>One file after the other is unlinked: how long until label and entry say so, as polling the API server sees it.</summary>
    private async Task WithdrawalAsync(CancellationToken cancellationToken)
    {
        const int Trials = 60;
        await StartAgentAsync(FreePort(), [], cancellationToken);
        await UntilAsync(ProvenAsync, cancellationToken);
        await UntilQuietAsync(cancellationToken);
        var (labels, entries) = (new List<double>(), new List<double>());
        for (var trial = 0; trial < Trials; trial++)
        {
            var model = Name(trial % ModelCount);
            var shard = Directory.GetFiles(Path.Combine(ModelsRoot, model), "*.safetensors").Order(StringComparer.Ordinal).First();
            var good = Path.Combine(_root.FullName, "good");
            File.Copy(shard, good);
            var began = Stopwatch.GetTimestamp();
            File.Delete(shard);
            while (await LabelAsync(model, cancellationToken) == "Ready") await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, cancellationToken);
            labels.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            while (!await SaysFailedAsync(model, cancellationToken)) await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, cancellationToken);
            entries.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            File.Move(good, shard);
            while (await LabelAsync(model, cancellationToken) != "Ready") await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }

        BenchmarkContext.Row($"unlink to label withdrawn, {Trials} trials: p50, p99", $"{Percentile(labels, 50),9:F0} ms, {Percentile(labels, 99):F0} ms");
        BenchmarkContext.Row("unlink to entry Failed: p50, p99", $"{Percentile(entries, 50),9:F0} ms, {Percentile(entries, 99):F0} ms");
        _targets.AtMost("unlink to label withdrawn, p99", 1000, Percentile(labels, 99), "ms");
        _targets.AtMost("unlink to entry Failed, p99", 1000, Percentile(entries, 99), "ms");
        await StopAgentAsync();
    }

    private async Task<string?> LabelAsync(string model, CancellationToken cancellationToken) =>
        (await _client.CoreV1.ReadNodeAsync(NodeName, cancellationToken: cancellationToken)).Metadata.Labels.TryGetValue(ModelKey.Cluster(model).LabelKey, out var state) ? state : null;

    private async Task<bool> SaysFailedAsync(string model, CancellationToken cancellationToken)
    {
        var report = NodeReport.Read(NodeName, (await _client.CoreV1.ReadNamespacedConfigMapAsync(NodeName, Namespace, cancellationToken: cancellationToken)).Data);
        return report.Entries.GetValueOrDefault(ModelKey.Cluster(model).DataKey).Entry?.State == NodeModelState.Failed;
    }

    private static double Percentile(List<double> values, int percent) => values.Order().ElementAt(Math.Min(values.Count - 1, values.Count * percent / 100));

    /// <summary>All models at once are asked for a full check: the bytes read over time are the agent's own count.</summary>
    private async Task BudgetAsync(CancellationToken cancellationToken)
    {
        var port = FreePort();
        await StartAgentAsync(port, ["--integrity-bytes-per-second", Budget.ToString(CultureInfo.InvariantCulture), "--integrity-start-jitter", "0s"], cancellationToken);
        await UntilAsync(ProvenAsync, cancellationToken);
        await UntilQuietAsync(cancellationToken);
        var before = await CheckedBytesAsync(port, cancellationToken);
        var started = Stopwatch.GetTimestamp();
        var asked = new V1Patch($$"""{"metadata":{"annotations":{"{{OmeNames.VerifyNowAnnotation}}":"bench"} } }""", V1Patch.PatchType.MergePatch);
        for (var i = 0; i < ModelCount; i++)
        {
            await _client.CustomObjects.PatchClusterCustomObjectAsync<ClusterBaseModel>(asked, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, Name(i), cancellationToken: cancellationToken);
        }

        var cpu = Cpu();
        var total = Directory.EnumerateFiles(ModelsRoot, "*", SearchOption.AllDirectories).Where(path => !path.Contains("/.ome/", StringComparison.Ordinal)).Sum(path => new FileInfo(path).Length);
        long read;
        do
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken);
            read = await CheckedBytesAsync(port, cancellationToken) - before;
        }
        while (read < total * 0.98);

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        BenchmarkContext.Row($"deep pass of {ModelCount} models, {total / 1e6:F0} MB, budget {Budget / 1e6:F0} MB/s", $"{read / seconds / 1e6,9:F2} MB/s, {read / seconds / Budget:F3} x the budget");
        BenchmarkContext.Row("deep pass: processor", $"{(Cpu() - cpu) / seconds * 100,9:F1} % of a core");
        BenchmarkContext.Row($"scaled: {ModelCount} x 1 GiB at the default 100 MB/s would take", $"{ModelCount * (1L << 30) / 1e8 / 60,9:F1} min");
        await StopAgentAsync();
    }

    private async Task<TimeSpan> StartAgentAsync(int port, string[] more, CancellationToken cancellationToken)
    {
        var program = BenchmarkContext.AgentProgram();
        string[] flags = ["--models-root-dir", ModelsRoot, "--namespace", Namespace, "--port", port.ToString(CultureInfo.InvariantCulture), "--bind-address", "127.0.0.1", "--log-level", "warn", .. more];
        var start = new ProcessStartInfo(program, flags);
        start.Environment["NODE_NAME"] = NodeName;
        start.Environment["KUBECONFIG"] = Kubeconfig;
        var began = Stopwatch.GetTimestamp();
        _agent = Process.Start(start) ?? throw new InvalidOperationException("the agent did not start");
        while (!await AnswersAsync(new Uri($"http://127.0.0.1:{port}/healthz"), cancellationToken)) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        return Stopwatch.GetElapsedTime(began);
    }

    private async Task<bool> AnswersAsync(Uri address, CancellationToken cancellationToken)
    {
        if (_agent!.HasExited) throw new InvalidOperationException($"the agent ended with {_agent.ExitCode}");
        try
        {
            using var answer = await _http.GetAsync(address, cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task StopAgentAsync()
    {
        if (_agent is null) return;
        if (!_agent.HasExited)
        {
            using var stop = Process.Start("kill", ["-TERM", _agent.Id.ToString(CultureInfo.InvariantCulture)]);
            var began = Stopwatch.GetTimestamp();
            await _agent.WaitForExitAsync();
            _targets.AtMost("graceful stop", 5, Stopwatch.GetElapsedTime(began).TotalSeconds, "s");
        }

        _agent.Dispose();
        _agent = null;
    }

    /// <summary>Every model is advertised, and its check has a proof of every byte.</summary>
    private async Task<bool> ProvenAsync(CancellationToken cancellationToken)
    {
        var node = await _client.CoreV1.ReadNodeAsync(NodeName, cancellationToken: cancellationToken);
        if (Enumerable.Range(0, ModelCount).Any(i => node.Metadata.Labels?.TryGetValue(ModelKey.Cluster(Name(i)).LabelKey, out var state) != true || state != "Ready")) return false;
        for (var i = 0; i < ModelCount; i++)
        {
            var check = await _client.CustomObjects.GetClusterCustomObjectAsync<ModelIntegrityCheck>(
                OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, ModelKey.Cluster(Name(i)).CheckName(NodeName), cancellationToken);
            if (check.Status is not { Result: "Valid", OldestProofTime: not null }) return false;
        }

        return true;
    }

    private static async Task<TimeSpan> UntilAsync(Func<CancellationToken, Task<bool>> holds, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await holds(cancellationToken)) await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, cancellationToken);
        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>Waits for five seconds without a write.</summary>
    private async Task<TimeSpan> UntilQuietAsync(CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        do
        {
            _cluster.Requests.Clear();
            await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System, cancellationToken);
        }
        while (_cluster.Requests.Writes.Count > 0);
        return Stopwatch.GetElapsedTime(started);
    }

    private async Task<long> CheckedBytesAsync(int port, CancellationToken cancellationToken) =>
        CheckedBytes().Matches(await _http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"), cancellationToken)).Sum(match => (long)double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture));

    private long Resident()
    {
        var line = File.ReadLines($"/proc/{_agent!.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>What the resident memory is made of: memory of its own, and program files that processes share.</summary>
    private string Memory()
    {
        var lines = File.ReadLines($"/proc/{_agent!.Id}/status").Where(static line => line.StartsWith("RssAnon:", StringComparison.Ordinal) || line.StartsWith("RssFile:", StringComparison.Ordinal));
        return $"({string.Join(", ", lines.Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var name, .., var kib, _] ? $"{name.Trim()} {Mib(long.Parse(kib, CultureInfo.InvariantCulture) * 1024):F0}" : line))})";
    }

    private double Cpu()
    {
        _agent!.Refresh();
        return _agent.TotalProcessorTime.TotalSeconds;
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string Summary(IEnumerable<RequestFacts> requests) =>
        string.Join(", ", requests.GroupBy(request => $"{request.Verb} {request.Resource}").OrderByDescending(group => group.Count()).Take(5).Select(group => $"{group.Key} {group.Count()}"));

    private static string Name(int i) => $"model-{i:D2}";

    private static double Mib(long bytes) => bytes / 1048576.0;

    private static long Number(string name, long otherwise) => long.TryParse(Variable(name), CultureInfo.InvariantCulture, out var asked) ? asked : otherwise;

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name);

    [GeneratedRegex("""^model_agent_ready_artifact_bytes_checked_total\{.*\} (?<value>\S+)""", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CheckedBytes();
}
